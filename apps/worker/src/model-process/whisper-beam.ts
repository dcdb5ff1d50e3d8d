import type { WorkContext } from '@studymate/models/serve-model';
import { compressionRatio } from '@studymate/speech/compression-ratio';
import { createAttentionRows } from './whisper-attention.ts';
import type { Attempt } from './whisper-decode.ts';
import type { EncodedWindows, WhisperModel } from './whisper-model.ts';
import type { Prefix, StartPrefix } from './whisper-prefix.ts';
import { type Choice, createSeededRandom, createTokenChooser, type TokenChooser } from './whisper-sampling.ts';

/** As many as openai/whisper and faster-whisper follow. */
const beamWidth = 5;

interface BeamSearchOptions {
  endOfText: number;
  startPrefix: StartPrefix;
  chooser: TokenChooser;
  /** With one lane. */
  window: EncodedWindows;
  prompt: readonly number[];
  /** Texts that are followed side by side. */
  width: number;
  maxTokens: number;
  context: Partial<WorkContext>;
}

/** A text and what the model makes of it. */
interface FoundText {
  tokens: number[];
  /** Among the whole vocabulary, by token. */
  logProbabilities: number[];
  /** Among the tokens that were allowed; mean, end of text included. */
  averageLogProbability: number;
}

interface Beam {
  prefix: Prefix;
  choices: Choice[];
  sum: number;
}

/** A text whose probability is e⁻⁴ of the best one's does not catch up: following it costs a step of the decoder. */
const hopelessBehind = 4;

/**
 * The likeliest text by beam search: unlike the choice of the likeliest token each time, it can take back a word that
 * makes the next ones unlikely. Texts are compared by mean log-probability, as openai/whisper does without a length
 * penalty. @returns null when none ends within `maxTokens`
 */
async function searchBeams(options: BeamSearchOptions): Promise<FoundText | null> {
  const { endOfText, chooser, width, context } = options;
  const finished: FoundText[] = [];
  let beams: Beam[] = [{ prefix: await options.startPrefix(options.window, options.prompt), choices: [], sum: 0 }];
  for (let length = 0; length <= options.maxTokens && beams.length > 0; length++) {
    const next = beams.flatMap((beam) =>
      chooser
        .chooseMany(beam.prefix.logits.at(-1) as Float32Array, { atStart: length === 0, count: width })
        .map((choice) => ({ beam, choice, sum: beam.sum + choice.allowedLogProbability })),
    );
    next.sort((a, b) => b.sum - a.sum);
    const best = next[0]?.sum ?? 0;
    const going: typeof next = [];
    for (const one of next.slice(0, 2 * width)) {
      if (one.sum < best - hopelessBehind || going.length === width) break;
      if (one.choice.token === endOfText) finished.push(toText(one.beam.choices, one.sum));
      else going.push(one);
    }
    if (finished.length >= width) break;
    beams = [];
    for (const { beam, choice, sum } of going) {
      await context.pause?.();
      context.signal?.throwIfAborted();
      beams.push({ prefix: await beam.prefix.extend([choice.token]), choices: [...beam.choices, choice], sum });
    }
  }
  finished.sort((a, b) => b.averageLogProbability - a.averageLogProbability);
  return finished[0] ?? null;
}

function toText(choices: readonly Choice[], sum: number): FoundText {
  return {
    tokens: choices.map(({ token }) => token),
    logProbabilities: choices.map(({ logProbability }) => logProbability),
    averageLogProbability: sum / (choices.length + 1),
  };
}

interface TextSearchOptions {
  window: EncodedWindows;
  prompt: readonly number[];
  /** What was found by always taking the likeliest token. */
  attempt: Attempt;
  /** Whether the attention is wanted, from which word times are computed. */
  wordTimes: boolean;
  context: Partial<WorkContext>;
}

/** @returns a function that looks for a likelier text than one that was found; null when there is none */
export function createTextSearch(model: WhisperModel) {
  const { tokens } = model;
  const chooser = createTokenChooser({ ...tokens, random: createSeededRandom(1) });
  return async ({ window, prompt, attempt, wordTimes, context }: TextSearchOptions): Promise<Attempt | null> => {
    const found = await searchBeams({
      endOfText: tokens.endOfText,
      startPrefix: model.startPrefix,
      chooser,
      window,
      prompt,
      width: beamWidth,
      // A text that is much longer goes in circles.
      maxTokens: Math.min(Math.ceil(1.5 * attempt.tokens.length) + 8, model.maxPositions - prompt.length - 1),
      context,
    });
    if (found === null || found.averageLogProbability <= attempt.averageLogProbability) return null;
    if (found.tokens.length === 0 || found.tokens.join() === attempt.tokens.join()) return null;
    const rowCount = prompt.length + found.tokens.length;
    let attention = createAttentionRows(tokens.alignmentHeads.length).read(0);
    if (wordTimes) {
      // All of it in one run: the texts that were followed kept none.
      const prompts = [[...prompt, ...found.tokens]];
      attention = (await model.begin({ windows: window, prompts, temperature: 0, wordTimes })).attention(0, rowCount);
    }
    return { ...found, compressionRatio: compressionRatio(tokens.decode(found.tokens).trim()), attention };
  };
}
