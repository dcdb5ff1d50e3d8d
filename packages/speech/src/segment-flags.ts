import type { Segment, Word } from '@studymate/contracts/transcript';

/** What is known of a window as a whole. */
export interface WindowSigns {
  text: string;
  averageLogProbability: number;
  compressionRatio: number;
  noSpeechProbability: number;
}

export interface FlagInput {
  text: string;
  words: readonly Word[];
  confidence: number;
  /** The windows that the words come from. */
  windows: readonly WindowSigns[];
  /** Texts of the segments before this one, oldest first. */
  previousTexts: readonly string[];
}

/** A mean word probability below this is worth a warning. Set by judgement: probabilities are not calibrated yet. */
const lowConfidence = 0.5;
/** openai/whisper's sign for text that goes in circles. */
const circlingRatio = 2.4;
const noSpeechThreshold = 0.6;
/** Auctioneers reach 5; above this the words cannot have been said in the time they are given. */
const maxWordsPerSecond = 9;
const maxCharactersPerSecond = 45;

/**
 * What Whisper writes in silence, noise and music, in the words of its training captions. People say some of them too:
 * they count only when nothing else was said in the window and the model is not sure.
 */
const phantoms: ReadonlySet<string> = new Set([
  'you',
  'bye',
  'bye bye',
  'thank you',
  'thanks',
  'thank you very much',
  'thank you so much',
  'so',
  'okay',
  'the end',
  'thanks for watching',
  'thank you for watching',
  'thank you so much for watching',
  'thanks for listening',
  'please subscribe',
  'please subscribe to my channel',
  'like and subscribe',
  'dont forget to subscribe',
  'see you next time',
  'see you in the next video',
  'ill see you in the next video',
  'subtitles by the amaraorg community',
  'transcribed by otterai',
  'subtitles by steamteamextra',
  'music',
  'applause',
  'silence',
  'untertitel der amaraorg community',
  'untertitelung des zdf 2020',
  'untertitel im auftrag des zdf für funk 2017',
  'vielen dank',
  'sous titres réalisés par la communauté damaraorg',
  'sous titres réalisés para la communauté damaraorg',
  'merci davoir regardé cette vidéo',
  'merci',
  'subtítulos realizados por la comunidad de amaraorg',
  'gracias por ver el video',
  'gracias',
  'legendas pela comunidade amaraorg',
  'obrigado',
  'sottotitoli creati dalla comunità amaraorg',
  'ご視聴ありがとうございました',
  'ありがとうございました',
  '字幕by索兰娅',
  '请不吝点赞订阅转发打赏支持明镜与点点栏目',
  '谢谢观看',
  '시청해주셔서 감사합니다',
  'продолжение следует',
  'субтитры сделал dimatorzok',
  'شكرا للمشاهدة',
  'ترجمة نانسي قنقر',
  'altyazı mk',
  'napisy stworzone przez społeczność amaraorg',
]);

/** Signs that a segment may not be what was said. They are hints: the text is kept. */
export function findFlags(input: FlagInput): Segment['flags'] {
  const flags: Segment['flags'] = [];
  if (input.confidence < lowConfidence) flags.push('low_confidence');
  if (isRepeated(input)) flags.push('repeated');
  if (mayBeInvented(input)) flags.push('possible_hallucination');
  return flags;
}

function isRepeated({ text, words, previousTexts }: FlagInput): boolean {
  // "Ha-ha-ha-ha" is one word, and a loop all the same.
  if (loops(words.flatMap(({ word }) => word.split(/(?<=\S)-(?=\S)/u).map(normalise)))) return true;
  const normal = normalise(text);
  const [before, beforeThat] = [previousTexts.at(-1), previousTexts.at(-2)];
  if (before === undefined || beforeThat === undefined || normal === '') return false;
  return normalise(before) === normal && normalise(beforeThat) === normal;
}

/** The same one to twelve words again and again: at least four times, and at least eight words in all. */
function loops(words: readonly string[]): boolean {
  for (let period = 1; period <= 12 && period * 4 <= words.length; period++) {
    let same = 0;
    for (let i = period; i < words.length; i++) {
      same = words[i] === words[i - period] ? same + 1 : 0;
      if (same + period >= Math.max(8, period * 4)) return true;
    }
  }
  return false;
}

function mayBeInvented({ text, words, confidence, windows }: FlagInput): boolean {
  if (windows.some((window) => window.compressionRatio > circlingRatio)) return true;
  if (windows.some((window) => window.noSpeechProbability > noSpeechThreshold && confidence < 0.8)) return true;
  const first = words[0];
  const last = words.at(-1);
  if (first !== undefined && last !== undefined && words.length >= 4) {
    const seconds = Math.max(last.end - first.start, 0.02);
    if (words.length / seconds > maxWordsPerSecond || text.length / seconds > maxCharactersPerSecond) return true;
  }
  const normal = normalise(text);
  if (!phantoms.has(normal)) return false;
  return windows.every(
    (window) => normalise(window.text) === normal && (window.noSpeechProbability > 0.2 || confidence < 0.7),
  );
}

function normalise(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\s-]/gu, '')
    .replace(/[\s-]+/g, ' ')
    .trim();
}
