import type { Chapter } from '@studymate/contracts/study';

type Level = Chapter['level'];

const levels: readonly Level[] = ['coarse', 'general', 'fine'];

/** The levels that differ, from few chapters to many; those of a short lecture are often the same. */
export function findLevels(chapters: readonly Chapter[]): { level: Level; count: number }[] {
  return levels
    .map((level) => ({ level, count: chapters.filter((chapter) => chapter.level === level).length }))
    .filter(({ count }, i, list) => count > 0 && list.findIndex((other) => other.count === count) === i);
}

/** The chapters of a level; where it is not among those that differ, of the usual one. */
export function chaptersOf(chapters: readonly Chapter[], wanted: Level): readonly Chapter[] {
  const found = findLevels(chapters).map(({ level }) => level);
  const level = [wanted, 'general' as const, ...found].find((one) => found.includes(one));
  return chapters.filter((chapter) => chapter.level === level);
}
