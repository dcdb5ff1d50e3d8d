import { isPhantomPhrase } from './phantom-phrases.ts';
import { hasLoop, toLoopWords } from './repetition.ts';
import { greatestVoice, measureVoice, type VoiceFrames } from './voice.ts';
import type { TimedWord, WindowTranscript } from './window-transcript.ts';
import { rawProbability } from './word-confidence.ts';

/**
 * Whether the text of a window is what was said there, judged by the voice in its sound. Thresholds are measured on
 * 349 English and 215 Arabic recordings, and on made music, noise and tones (docs/speech.md).
 */
export type Verdict = 'keep' | 'listen_again' | 'drop';

const doubtfulLogProbability = -0.7;
const doubtfulNoSpeech = 0.4;
const doubtfulLanguage = 0.5;
const circlingRatio = 2.4;
const unlikelyWord = 0.3;
/** The detector takes single notes for speech: .5 s of 28 at most in made music. A said digit fills half of its clip. */
const faintSeconds = 0.6;
const faintShare = 0.3;
/** Of music that was cut to what sounds like speech, nothing is likelier than this. */
const hopelessLogProbability = -1.2;
/** Where less of a window than this is speech, and so much is not, cutting the rest away may help. */
const wholeShare = 0.6;
const restSeconds = 2.5;
/** No word is said where the detector gives less than this. */
const noVoice = 0.15;

/** Whether the text alone gives reason to ask for the voice: clean speech must not pay for it. */
export function isDoubtful(result: WindowTranscript): boolean {
  if (result.text === '') return false;
  return (
    isUnlikely(result) ||
    result.noSpeechProbability > doubtfulNoSpeech ||
    result.languageProbability < doubtfulLanguage ||
    edgeSentences(result.text).some(isPhantomPhrase) ||
    result.words.some((word, i) => isShaky(word) && isShaky(result.words[i + 1]))
  );
}

const isShaky = (word: TimedWord | undefined): boolean => word !== undefined && rawProbability(word) < unlikelyWord;

function isUnlikely(result: WindowTranscript): boolean {
  return (
    result.averageLogProbability < doubtfulLogProbability ||
    result.compressionRatio > circlingRatio ||
    hasLoop(toLoopWords(result.text), 5)
  );
}

/**
 * @param frames the voice in the window's sound
 * @param canListenAgain whether the window may be heard once more, cut to its speech
 */
export function judgeWindow(result: WindowTranscript, frames: VoiceFrames, canListenAgain: boolean): Verdict {
  if (result.text === '') return 'keep';
  const { speechSeconds, totalSeconds, share } = measureVoice(frames);
  if (speechSeconds === 0 && (isUnlikely(result) || result.noSpeechProbability > doubtfulNoSpeech)) return 'drop';
  const isFaint = speechSeconds < faintSeconds && share < faintShare;
  const isMuchElse = share < wholeShare && totalSeconds - speechSeconds >= restSeconds;
  if (canListenAgain && isMuchElse && (isFaint || isUnlikely(result))) return 'listen_again';
  const isHopeless = result.averageLogProbability < hopelessLogProbability || hasLoop(toLoopWords(result.text), 5);
  return isFaint && isHopeless ? 'drop' : 'keep';
}

/** Of two texts of one window, whether the one heard in its speech alone is the better one. */
export function isBetterAlone(alone: WindowTranscript, whole: WindowTranscript): boolean {
  if (isUnlikely(alone) !== isUnlikely(whole)) return isUnlikely(whole);
  return alone.averageLogProbability > whole.averageLogProbability;
}

/** Marks the words that lie where nobody speaks; such a caption phrase at either edge goes. */
export function markUnvoiced(result: WindowTranscript, frames: VoiceFrames): WindowTranscript {
  if (result.words.length === 0) return result;
  const isVoiced = result.words.map(({ start, end }) => greatestVoice(frames, start, end) >= noVoice);
  let from = 0;
  let to = result.words.length;
  const firstVoiced = isVoiced.indexOf(true);
  const lastVoiced = isVoiced.lastIndexOf(true);
  if (firstVoiced < 0) {
    if (isPhantomPhrase(result.text)) return { ...result, text: '', words: [], tokens: [] };
  } else {
    if (isPhantomPhrase(textOf(result, 0, firstVoiced))) from = firstVoiced;
    if (isPhantomPhrase(textOf(result, lastVoiced + 1, to))) to = lastVoiced + 1;
  }
  const unvoicedWords = isVoiced.slice(from, to).flatMap((voiced, i) => (voiced ? [] : [i]));
  if (from === 0 && to === result.words.length) return { ...result, unvoicedWords };
  return { ...result, text: textOf(result, from, to), words: result.words.slice(from, to), unvoicedWords };
}

/** What stands in the text from one word to another. */
function textOf({ text, words }: WindowTranscript, from: number, to: number): string {
  if (from >= to) return '';
  let at = 0;
  let begin = 0;
  for (let i = 0; i < to; i++) {
    const found = text.indexOf((words[i] as (typeof words)[number]).word, at);
    if (found < 0) return words.slice(from, to).reduce((joined, { word }) => `${joined} ${word}`.trim(), '');
    if (i === from) begin = found;
    at = found + (words[i] as (typeof words)[number]).word.length;
  }
  return text.slice(begin, at);
}

/** The first and the last sentence. */
function edgeSentences(text: string): string[] {
  const sentences = text.split(/(?<=[.!?。！？…])\s*/u).filter((sentence) => sentence.trim() !== '');
  return [sentences[0] ?? '', sentences.at(-1) ?? ''];
}
