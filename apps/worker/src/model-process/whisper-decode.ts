import type { WorkContext } from '@studymate/models/serve-model';
import { compressionRatio } from '@studymate/speech/compression-ratio';
import type { WhisperTokens } from '@studymate/speech/whisper-tokens';
import type { Attention, Decoding } from './whisper-model.ts';
import { type Choice, findLoop } from './whisper-sampling.ts';

// openai/whisper, transcribe.py
export const worstCompressionRatio = 2.4;
const loopCheckEvery = 8;

/** What came of one try to decode a window. */
export interface Attempt {
  tokens: number[];
  logProbabilities: number[];
  averageLogProbability: number;
  compressionRatio: number;
  /** Of all that was fed up to the last token of the text. */
  attention: Attention;
}

export interface DecodeOptions {
  tokens: WhisperTokens;
  /** Stands after its prompts. */
  decoding: Decoding;
  promptLength: number;
  /** Longest sequence that the decoder has positions for. */
  maxPositions: number;
  /** Length of the sound by lane, the longest first: lanes that end early are then dropped from the end. */
  seconds: readonly number[];
  context: Partial<WorkContext>;
}

interface LaneText {
  tokens: number[];
  logProbabilities: number[];
  sum: number;
  maxTokens: number;
  loop: ReturnType<typeof findLoop>;
  ended: boolean;
}

/**
 * Decodes windows side by side from their prompts to the end of text. onnxruntime-node blocks while it runs a step, but
 * takes a turn of the event loop before each: messages (cancel, heartbeat, work that interrupts) are seen between tokens.
 */
export async function decodeLanes(options: DecodeOptions): Promise<Attempt[]> {
  const { tokens, decoding, promptLength, context } = options;
  const texts: LaneText[] = options.seconds.map((seconds) => ({
    tokens: [],
    logProbabilities: [],
    sum: 0,
    // Nobody says more than 16 tokens a second; scripts that take a token a byte come near it. A window of 28 s may need
    // more than the 224 that openai/whisper stops at (it keeps the other half for a prompt that is not used here).
    maxTokens: Math.min(options.maxPositions - promptLength - 1, Math.ceil(32 + 16 * seconds)),
    loop: null,
    ended: false,
  }));

  let open = texts.length;
  for (;;) {
    decoding.choices.slice(0, open).forEach((choice, lane) => {
      take(texts[lane] as LaneText, choice, tokens.endOfText);
    });
    while (open > 0 && texts[open - 1]?.ended) open--;
    if (open === 0) break;
    await context.pause?.();
    context.signal?.throwIfAborted();
    decoding.keep(open);
    // A lane that has ended between others that go on is fed something; what comes of it is not looked at.
    await decoding.next(
      texts.slice(0, open).map((text) => (text.ended ? undefined : text.tokens.at(-1)) ?? tokens.endOfText),
    );
  }
  return texts.map((text, lane) => toAttempt(text, tokens, (rows) => decoding.attention(lane, promptLength + rows)));
}

function take(text: LaneText, choice: Choice, endOfText: number): void {
  if (text.ended) return;
  text.sum += choice.allowedLogProbability;
  if (choice.token === endOfText) {
    text.ended = true;
    return;
  }
  text.tokens.push(choice.token);
  text.logProbabilities.push(choice.logProbability);
  if (text.tokens.length % loopCheckEvery === 0) text.loop = findLoop(text.tokens);
  text.ended = text.tokens.length >= text.maxTokens || text.loop !== null;
}

function toAttempt(text: LaneText, tokens: WhisperTokens, readAttention: (rows: number) => Attention): Attempt {
  const ratio = compressionRatio(tokens.decode(text.tokens).trim());
  const { loop } = text;
  // Of a loop one round is kept; the rest was never said.
  const length = loop === null ? text.tokens.length : text.tokens.length - (loop.length - loop.period);
  return {
    tokens: text.tokens.slice(0, length),
    logProbabilities: text.logProbabilities.slice(0, length),
    averageLogProbability: text.sum / (length + 1),
    compressionRatio: loop === null ? ratio : Math.max(ratio, worstCompressionRatio + 0.1),
    attention: readAttention(length),
  };
}
