import type { WorkContext } from '@studymate/models/serve-model';
import { createGlossary, type Glossary } from '@studymate/speech/glossary-matches';
import { createLogMel, hopSamples, melFrameCount, sampleRate } from '@studymate/speech/log-mel';
import { chooseLanguages } from '@studymate/speech/spoken-language';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { calibrateWords } from '@studymate/speech/word-confidence';
import { createTextSearch } from './whisper-beam.ts';
import { type Attempt, decodeLanes, worstCompressionRatio } from './whisper-decode.ts';
import { correctTerms } from './whisper-glossary.ts';
import { mustKnowLanguage } from './whisper-languages.ts';
import type { Decoding, EncodedWindows, WhisperModel } from './whisper-model.ts';
import { probabilityOf, softmaxOver } from './whisper-sampling.ts';
import { timeWords } from './whisper-words.ts';

export interface TranscribeWindowsPayload {
  /** Each signed 16-bit, 16 kHz, mono, at most 30 s. They are windows of one recording, in any number. */
  windows: Int16Array[];
  /** Whisper's code, or null to have it recognised. */
  language: string | null;
  /**
   * What the recording has been in so far, where no language is given: a window is in this one unless it clearly is in
   * another. Null: what the windows that go side by side together most likely are.
   */
  expectedLanguage?: string | null;
  wordTimes: boolean;
  /** To English, whatever is spoken; a model that knows English alone writes down what it hears. */
  translate?: boolean | undefined;
  /** Of the first try, 0 to 1; 0 unless given. */
  temperature?: number | undefined;
  /** Terms that are likely to be said, as they should be spelt. */
  glossary?: readonly string[] | undefined;
}

// openai/whisper, transcribe.py
const worstAverageLogProbability = -1;
const noSpeechThreshold = 0.6;
/**
 * Below this a likelier text is looked for by beam search. Second-language speakers: .184 instead of .205 of the words
 * wrong, with 52 of 120 sentences searched; searching all of them gives .180. Clear speech stays above it.
 */
const doubtfulLogProbability = -0.3;
/** Tried in turn while a text goes in circles or is unlikely. The original has six steps; the later ones only add noise. */
const fallbackTemperatures = [0.4, 0.8];
/**
 * The original's rule (.6 and -1) misses digital silence (.94; a "you" that is not unlikely enough) and white noise
 * (.36 to .59; text of -2.3 to -2.4). Of 243 spoken sentences these rules drop none, of 100 single digits two.
 */
const certainNoSpeech = 0.85;
const doubtfulNoSpeech = 0.3;
const hopelessLogProbability = -1.5;
/**
 * Silence put before the sound: Whisper leaves out a first word that begins right at the front. Measured with 200 ms
 * against none: spoken digits .43 instead of .66 wrong, second-language speakers .205 instead of .212, read English the
 * same.
 */
const leadSamples = 0.2 * sampleRate;

export interface WhisperTranscriber {
  /**
   * May be called again while a call awaits its `pause`.
   * @returns one transcript a window, in their order
   * @throws AppError-free DOMException `AbortError` (the signal's reason) when cancelled
   */
  transcribe(payload: TranscribeWindowsPayload, context?: Partial<WorkContext>): Promise<WindowTranscript[]>;
}

interface Lane {
  /** Place in the payload. */
  index: number;
  /** Length of the sound, and of the silence before it. */
  seconds: number;
  leadSeconds: number;
}

interface Begun {
  decoding: Decoding;
  promptLength: number;
  languages: { language: string; languageProbability: number }[];
}

export function createWhisperTranscriber(model: WhisperModel): WhisperTranscriber {
  const { tokens } = model;
  const logMel = createLogMel(model.melBandCount);
  const searchText = createTextSearch(model);
  const languageCodes = [...tokens.languageIds.keys()];
  const languageIds = [...tokens.languageIds.values()];
  // The language of the last window is the best guess for the next: a right guess saves a run of the prompt.
  let lastLanguage = 'en';

  const promptFor = (language: string, translate: boolean | undefined): number[] => {
    if (languageIds.length === 0) return [tokens.startOfTranscript, tokens.noTimestamps];
    const task = translate ? tokens.translate : tokens.transcribe;
    return [tokens.startOfTranscript, tokens.languageIds.get(language) as number, task, tokens.noTimestamps];
  };

  /** Runs the prompts, each window's in its language. */
  const begin = async (
    windows: EncodedWindows,
    seconds: readonly number[],
    payload: TranscribeWindowsPayload,
  ): Promise<Begun> => {
    const { language, wordTimes, translate, temperature = 0 } = payload;
    const { expectedLanguage = null } = payload;
    // It may come from a transcript that another model made.
    const expected = expectedLanguage !== null && tokens.languageIds.has(expectedLanguage) ? expectedLanguage : null;
    const known = language ?? expected ?? lastLanguage;
    const guess = tokens.languageIds.has(known) ? known : (languageCodes[0] ?? 'en');
    const run = (spoken: readonly string[]) =>
      model.begin({ windows, prompts: spoken.map((each) => promptFor(each, translate)), temperature, wordTimes });
    const promptLength = promptFor(guess, translate).length;
    let decoding = await run(Array(windows.laneCount).fill(guess));
    if (languageIds.length === 0) {
      return {
        decoding,
        promptLength,
        languages: decoding.firstLogits.map(() => ({ language: 'en', languageProbability: 1 })),
      };
    }
    // The first row has seen only <|startoftranscript|>, whatever follows it in the prompt.
    const shares = decoding.firstLogits.map((logits) => softmaxOver(logits, languageIds));
    const chosen = chooseLanguages({ shares, seconds, given: language, expected, codes: languageCodes });
    if (chosen.some((spoken) => spoken !== guess)) decoding = await run(chosen);
    if (language === null) lastLanguage = chosen[0] ?? guess;
    const languages = shares.map((share, lane) => {
      const spoken = chosen[lane] as string;
      return { language: spoken, languageProbability: share[languageCodes.indexOf(spoken)] ?? 0 };
    });
    return { decoding, promptLength, languages };
  };

  const transcribeLanes = async (
    lanes: readonly Lane[],
    windows: EncodedWindows,
    payload: TranscribeWindowsPayload,
    glossary: Glossary | null,
    context: Partial<WorkContext>,
  ): Promise<WindowTranscript[]> => {
    const { wordTimes, translate, temperature: firstTemperature = 0 } = payload;
    const spokenSeconds = lanes.map(({ seconds }) => seconds);
    const { decoding, promptLength, languages } = await begin(windows, spokenSeconds, payload);
    const noSpeech = decoding.firstLogits.map((logits) => probabilityOf(logits, tokens.noSpeech));
    const shared = { tokens, promptLength, maxPositions: model.maxPositions, context };
    const best = await decodeLanes({ ...shared, decoding, seconds: spokenSeconds });
    const results: WindowTranscript[] = [];
    for (const [lane, { seconds, leadSeconds }] of lanes.entries()) {
      let attempt = best[lane] as Attempt;
      const { language, languageProbability } = languages[lane] as (typeof languages)[number];
      const noSpeechProbability = noSpeech[lane] as number;
      let temperature = firstTemperature;
      if (temperature === 0 && isDoubtful(attempt) && !isSilence(attempt, noSpeechProbability)) {
        const prompt = promptFor(language, translate);
        const likelier = await searchText({ window: windows.lane(lane), prompt, attempt, wordTimes, context });
        if (likelier !== null && isBetter(likelier, attempt)) attempt = likelier;
      }
      for (const warmer of fallbackTemperatures.filter((each) => each > firstTemperature)) {
        if (isGood(attempt) || isSilence(attempt, noSpeechProbability)) break;
        const prompts = [promptFor(language, translate)];
        const again = await model.begin({ windows: windows.lane(lane), prompts, temperature: warmer, wordTimes });
        const [other] = await decodeLanes({ ...shared, decoding: again, seconds: [seconds] });
        if (!other || !isBetter(other, attempt)) continue;
        attempt = other;
        temperature = warmer;
      }
      const silent = isSilence(attempt, noSpeechProbability);
      // A translation is split into words as English is.
      const written = translate ? 'en' : language;
      if (glossary && !silent) {
        const window = windows.lane(lane);
        const prompt = promptFor(language, translate);
        attempt = await correctTerms({
          model,
          glossary,
          window,
          prompt,
          attempt,
          language: written,
          context,
        });
      }
      const words =
        wordTimes && !silent
          ? timeWords({ attempt, tokens, promptLength, language: written, seconds, leadSeconds })
          : [];
      results.push({
        language,
        languageProbability,
        text: silent ? '' : tokens.decode(attempt.tokens).trim(),
        words: calibrateWords(words, attempt),
        tokens: silent ? [] : attempt.tokens,
        averageLogProbability: attempt.averageLogProbability,
        compressionRatio: silent ? 0 : attempt.compressionRatio,
        noSpeechProbability,
        temperature,
      });
    }
    return results;
  };

  return {
    async transcribe(payload, context = {}) {
      const { signal, pause } = context;
      mustKnowLanguage(tokens, payload.language);
      const results: WindowTranscript[] = [];
      const glossary = payload.glossary?.length ? createGlossary(payload.glossary) : null;
      // Which windows go side by side depends on nothing but the payload: the same sound gives the same text.
      const order = payload.windows.map((samples, index) => ({ samples, index }));
      for (let from = 0; from < order.length; from += model.maxLanes) {
        const group = order.slice(from, from + model.maxLanes).sort((a, b) => b.samples.length - a.samples.length);
        const lanes: Lane[] = [];
        const windows = await model.encode(group.length, async (lane) => {
          await pause?.();
          signal?.throwIfAborted();
          const { samples, index } = group[lane] as (typeof group)[number];
          const sound = withLead(samples);
          const seconds = samples.length / sampleRate;
          lanes.push({ index, seconds, leadSeconds: sound.length / sampleRate - seconds });
          return logMel.compute(sound);
        });
        await pause?.();
        signal?.throwIfAborted();
        const transcripts = await transcribeLanes(lanes, windows, payload, glossary, context);
        lanes.forEach(({ index }, lane) => {
          results[index] = transcripts[lane] as WindowTranscript;
        });
      }
      return results;
    },
  };
}

function isGood(attempt: Attempt): boolean {
  return (
    attempt.compressionRatio <= worstCompressionRatio && attempt.averageLogProbability >= worstAverageLogProbability
  );
}

/** In circles a search finds more of the same. */
function isDoubtful(attempt: Attempt): boolean {
  return attempt.averageLogProbability < doubtfulLogProbability && attempt.compressionRatio <= worstCompressionRatio;
}

function isSilence(attempt: Attempt, noSpeechProbability: number): boolean {
  if (attempt.tokens.length === 0) return true;
  if (noSpeechProbability > certainNoSpeech && meanProbability(attempt) < 0.5) return true;
  if (noSpeechProbability > doubtfulNoSpeech && attempt.averageLogProbability < hopelessLogProbability) return true;
  return noSpeechProbability > noSpeechThreshold && attempt.averageLogProbability < worstAverageLogProbability;
}

function meanProbability({ logProbabilities }: Attempt): number {
  return logProbabilities.reduce((sum, value) => sum + Math.exp(value), 0) / logProbabilities.length;
}

/** The sound with silence before it, as far as the 30 s allow. */
export function withLead(samples: Int16Array): Int16Array {
  const lead = Math.min(leadSamples, melFrameCount * hopSamples - samples.length);
  const sound = new Int16Array(lead + samples.length);
  sound.set(samples, lead);
  return sound;
}

/** A text that goes in circles is worse than any other; otherwise the likelier one wins. */
function isBetter(attempt: Attempt, than: Attempt): boolean {
  const circles = attempt.compressionRatio > worstCompressionRatio;
  const thanCircles = than.compressionRatio > worstCompressionRatio;
  if (circles !== thanCircles) return thanCircles;
  return attempt.averageLogProbability > than.averageLogProbability;
}
