import type { Chapter } from '@studymate/contracts/study';
import { scoreCues } from './chapter-cues.ts';
import { minChapterSeconds } from './chapter-formats.ts';
import { titleChapters } from './chapter-titles.ts';
import type { Embeddings } from './embeddings.ts';
import { pickRows, rowAt, rowCount } from './embeddings.ts';
import type { Gains } from './segmentation.ts';
import { automaticCount, computeGains, decodeBoundaries } from './segmentation.ts';
import type { TimedSentence } from './sentences.ts';
import type { Terms } from './text-terms.ts';
import { createTerms } from './text-terms.ts';

export { titleChapters } from './chapter-titles.ts';

/** Above this, neighbouring sentences are joined to units: time and memory grow with the square of the units. */
const maxUnits = 1_500;
/**
 * Cues and pauses count in full in a lecture of this many sentences. In shorter texts, where the other gains are small and
 * which are often written and not spoken, pauses count less, and cues less still.
 */
const fullCueSentences = 450;
/** What a unit of log odds is worth beside the other gains (MIT lectures: Pk .330 / .274 → .300 / .266). */
const cueWeight = 2;

function termNumbers(sentences: readonly string[], terms: Terms): { numbers: number[][]; size: number } {
  const ids = new Map<string, number>();
  const numbers = sentences.map((sentence) =>
    terms.contentStems(sentence).map((stem) => {
      const id = ids.get(stem) ?? ids.size;
      ids.set(stem, id);
      return id;
    }),
  );
  return { numbers, size: ids.size };
}

/** A pause counts by how far it stands out of the lecture's own pauses, 1 at most. */
function pauseBonus(pauses: ArrayLike<number>, count: number): Float64Array {
  const sorted = Float64Array.from({ length: count }, (_, index) => pauses[index] ?? 0).sort();
  const median = sorted[Math.floor(count / 2)] ?? 0;
  return Float64Array.from({ length: count }, (_, index) => {
    const excess = (pauses[index] ?? 0) - median;
    return excess <= 0.3 ? 0 : Math.min(1, excess / 2);
  });
}

export interface BoundaryInput {
  sentences: readonly string[];
  embeddings?: Embeddings | undefined;
  /** Seconds of silence before each sentence. */
  pausesBefore?: ArrayLike<number> | undefined;
  /** Asked for; otherwise the text decides. */
  chapterCount?: number | undefined;
  level?: Chapter['level'] | undefined;
  language?: string | null | undefined;
}

interface Units {
  /** First sentence of each unit. */
  firsts: number[];
  gains: Gains;
}

function prepareUnits(input: BoundaryInput & { startSeconds?: ArrayLike<number>; endSeconds?: number }): Units {
  const { sentences, embeddings, pausesBefore } = input;
  const terms = createTerms({ language: input.language ?? null, texts: sentences });
  const { numbers, size } = termNumbers(sentences, terms);
  const perUnit = Math.max(1, Math.ceil(sentences.length / maxUnits));
  const firsts: number[] = [];
  for (let index = 0; index < sentences.length; index += perUnit) firsts.push(index);
  const pauses = pausesBefore === undefined ? null : pauseBonus(pausesBefore, sentences.length);
  const cues = scoreCues(sentences, terms.language);
  const meanCue = cues.reduce((sum, score) => sum + score, 0) / cues.length;
  const share = Math.min(1, firsts.length / fullCueSentences);
  const bonuses = firsts.map(
    (first) => cueWeight * share ** 2 * ((cues[first] as number) - meanCue) + share * (pauses?.[first] ?? 0),
  );
  const starts = input.startSeconds;
  const allowed =
    starts === undefined
      ? undefined
      : (from: number, to: number): boolean => {
          const begin = from === 0 ? 0 : (starts[firsts[from] as number] as number);
          const end = to === firsts.length ? (input.endSeconds as number) : (starts[firsts[to] as number] as number);
          return end - begin >= minChapterSeconds || (from === 0 && to === firsts.length);
        };
  const gains = computeGains({
    terms: firsts.map((first) => numbers.slice(first, first + perUnit).flat()),
    vocabularySize: size,
    embeddings: embeddings === undefined ? undefined : unitEmbeddings(embeddings, firsts, perUnit, sentences.length),
    bonuses,
    allowed,
  });
  return { firsts, gains };
}

function unitEmbeddings(embeddings: Embeddings, firsts: number[], perUnit: number, total: number): Embeddings {
  if (perUnit === 1) return embeddings;
  const joined = pickRows(embeddings, firsts);
  firsts.forEach((first, unit) => {
    const target = rowAt(joined, unit);
    const count = Math.min(perUnit, total - first, rowCount(embeddings) - first);
    target.fill(0);
    for (let offset = 0; offset < count; offset++) {
      const row = rowAt(embeddings, first + offset);
      for (let d = 0; d < target.length; d++) target[d] = (target[d] as number) + (row[d] as number) / count;
    }
  });
  return joined;
}

const levelFactor = { coarse: 0.5, general: 1, fine: 2 } as const;

/**
 * The first sentence of each chapter, 0 first; empty for no sentences. `level` halves or doubles the automatic count.
 * Time and memory are bounded: more than 1,500 sentences are taken in runs, and then a boundary falls between runs.
 */
export function findBoundaries(input: BoundaryInput): number[] {
  if (input.sentences.length === 0) return [];
  const { firsts, gains } = prepareUnits(input);
  const automatic = (): number =>
    Math.max(1, Math.round(automaticCount(gains) * levelFactor[input.level ?? 'general']));
  const segmentCount = Math.max(1, Math.min(input.chapterCount ?? automatic(), firsts.length));
  return decodeBoundaries({ gains, segmentCount }).map((unit) => firsts[unit] as number);
}

/** How many chapters listeners expect: about 4, 6 and 13 an hour, and more than a linear share of it when short. */
export function expectedChapters(durationSeconds: number, level: Chapter['level']): number {
  const anHour = { coarse: 4, general: 6, fine: 13 }[level];
  const hours = durationSeconds / 3600;
  const expected = hours >= 1 ? anHour * hours : 1 + (anHour - 1) * Math.sqrt(hours);
  // The general level is the one exported to players, which want three.
  const least = level === 'coarse' || durationSeconds < 90 ? 1 : 3;
  return Math.max(least, Math.round(expected));
}

const maxChapters = 120;
/** The shortest chapter of a level, as a share of its mean length. */
const evenShare = 0.3;

/**
 * Chapters of a lecture on three levels, each level complete, contiguous and nested in the finer one. They start where
 * a sentence starts (the first at 0), last at least 10 s each, and have titles that are unique within a level.
 */
export function makeChapters(params: {
  sentences: readonly TimedSentence[];
  embeddings?: Embeddings | undefined;
  language?: string | null;
}): Chapter[] {
  const { sentences } = params;
  const last = sentences.at(-1);
  if (last === undefined) return [];
  const texts = sentences.map((sentence) => sentence.text);
  const endSeconds = sentences.reduce((latest, sentence) => Math.max(latest, sentence.end), 0);
  const { firsts, gains } = prepareUnits({
    sentences: texts,
    embeddings: params.embeddings,
    pausesBefore: sentences.map((sentence) => sentence.pauseBefore),
    startSeconds: sentences.map((sentence) => sentence.start),
    endSeconds,
    language: params.language,
  });
  const longest = Math.max(1, Math.min(maxChapters, firsts.length, Math.floor(endSeconds / minChapterSeconds)));
  const found = automaticCount(gains);
  const units: Record<Chapter['level'], number[]> = { coarse: [], general: [], fine: [] };
  const startOf = (unit: number): number =>
    unit === 0 ? 0 : unit >= firsts.length ? endSeconds : (sentences[firsts[unit] as number] as TimedSentence).start;
  let candidates: number[] | undefined;
  for (const level of ['fine', 'general', 'coarse'] as const) {
    const expected = expectedChapters(endSeconds, level);
    // What the text itself shows moves the count by up to a quarter either way.
    const wish = Math.round(found * levelFactor[level]);
    const count = Math.min(longest, Math.max(Math.ceil(expected * 0.75), Math.min(Math.floor(expected * 1.25), wish)));
    // A chapter much shorter than the others of its level is a stumble of the method, not a chapter.
    const leastSeconds = (evenShare * endSeconds) / count;
    units[level] = decodeBoundaries({
      gains,
      segmentCount: count,
      ...(candidates === undefined ? {} : { candidates }),
      allowed: (start, end) => startOf(end) - startOf(start) >= leastSeconds,
    });
    candidates = units[level];
  }
  return (['coarse', 'general', 'fine'] as const).flatMap((level) => {
    const boundaries = units[level].map((unit) => firsts[unit] as number);
    const titles = titleChapters({
      sentences: texts,
      barriers: sentences.map((sentence) => sentence.barriers),
      boundaries,
      language: params.language ?? null,
    });
    return titles.map(({ title, firstSentence }, index): Chapter => {
      const next = boundaries[index + 1];
      return {
        start: index === 0 ? 0 : (sentences[firstSentence] as TimedSentence).start,
        end: next === undefined ? endSeconds : (sentences[next] as TimedSentence).start,
        title,
        level,
      };
    });
  });
}
