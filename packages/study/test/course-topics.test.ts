import type { KeptCourseTopics } from '@studymate/contracts/artifacts';
import { describe, expect, test } from 'vitest';
import { type CourseLecture, makeCourseTopics } from '../src/course-topics.ts';
import { quantise } from '../src/search/quantised-vectors.ts';
import { mergeTopics, toCourseTopics } from '../src/topic-merging.ts';
import { embedByTheme, themes } from './texts.ts';

const names = Object.keys(themes) as (keyof typeof themes)[];
const weights = 'model#1';

/** A lecture whose passages are of the named themes, ten seconds each. */
function toLecture(lectureId: string, of: readonly (keyof typeof themes)[]): CourseLecture {
  const passages = of.map((theme, index) => ({
    start: index * 10,
    end: index * 10 + 10,
    text: themes[theme][index % 8] as string,
  }));
  const vectors = quantise(embedByTheme(of.map((theme) => names.indexOf(theme))));
  return { lectureId, source: `${lectureId}/1`, language: 'en', passages, vectors };
}

const repeated = (theme: keyof typeof themes, count: number) => Array.from({ length: count }, () => theme);
const monday = toLecture('monday', [...repeated('volcano', 8), ...repeated('violin', 8)]);
const tuesday = toLecture('tuesday', [...repeated('violin', 4), ...repeated('bread', 8)]);
const toViews = (...ids: string[]) => ids.map((id) => ({ id, title: id, createdAt: '2026-01-01T00:00:00.000Z' }));
const make = (lectures: CourseLecture[], earlier: KeptCourseTopics | null = null) =>
  makeCourseTopics({ lectures, weights, inputHash: 'a', earlier });

/** The id of the topic whose words are of a theme. */
function idOf(kept: KeptCourseTopics, words: RegExp): number {
  const found = kept.topics.filter(({ label }) => words.test(label.toLowerCase()));
  expect(found).toHaveLength(1);
  return found[0]?.id as number;
}
const volcano = /magma|eruption|lava|ash|gas/;
const violin = /violin|strings/;
const bread = /dough|bread|flour|yeast/;

describe('makeCourseTopics', () => {
  test('themes of two lectures: each is a topic, over both where both speak of it', () => {
    const kept = make([monday, tuesday]);
    expect(kept.topics).toHaveLength(3);
    const { topics } = toCourseTopics(kept, toViews('monday', 'tuesday'), undefined);
    const ofViolin = topics.find(({ id }) => id === idOf(kept, violin));
    expect(ofViolin).toMatchObject({
      size: 12,
      seconds: 120,
      lectures: [
        { lectureId: 'monday', seconds: 80, share: 0.5, moments: [{ start: 80, end: 160 }] },
        { lectureId: 'tuesday', seconds: 40, moments: [{ start: 0, end: 40 }] },
      ],
    });
    expect(topics.map(({ seconds }) => seconds)).toEqual([120, 80, 80]);
  });

  test('a lecture is added that brings a new theme: the topics that were there keep their ids', () => {
    const before = make([monday]);
    const after = make([monday, tuesday], before);
    expect(idOf(after, volcano)).toBe(idOf(before, volcano));
    expect(idOf(after, violin)).toBe(idOf(before, violin));
    expect(before.topics.map(({ id }) => id)).not.toContain(idOf(after, bread));
    expect(after.nextId).toBe(3);
  });

  test('a little more of the same: it is assigned to the topics that there are, and nothing is found anew', () => {
    const before = make([monday, tuesday]);
    const added = toLecture('wednesday', [...repeated('volcano', 2), ...repeated('bread', 2)]);
    const after = make([monday, tuesday, added], before);
    expect(after.topics).toEqual(before.topics);
    expect(after.fittedPassages).toBe(before.fittedPassages);
    const [fire, dough] = [idOf(before, volcano), idOf(before, bread)];
    expect(after.lectures[2]?.passages.map(({ topic }) => topic)).toEqual([fire, fire, dough, dough]);
  });

  test('an id is never given twice, also when its topic is gone', () => {
    const before = make([monday, tuesday]);
    const without = make([monday], before);
    const again = make([monday, tuesday], without);
    expect(idOf(again, bread)).toBeGreaterThanOrEqual(before.nextId);
    expect(idOf(again, violin)).toBe(idOf(before, violin));
  });

  test('a lecture is taken out: its words are in no label any more, and the other topics keep their ids', () => {
    const small = toLecture('thursday', repeated('bread', 3));
    const before = make([monday, small]);
    const after = make([monday], before);
    expect(after.topics.flatMap(({ terms }) => terms.map(({ term }) => term)).join(' ')).not.toMatch(bread);
    expect(idOf(after, volcano)).toBe(idOf(before, volcano));
  });

  test('words and centres were removed because a lecture has gone: topics of the others are found again by their passages', () => {
    const before = make([monday, tuesday]);
    const left: KeptCourseTopics = {
      ...before,
      ...{ inputHash: '', fittedPassages: 0 },
      topics: before.topics.map(({ id }) => ({ id, label: '', terms: [], centre: [], leastCosine: 0 })),
      lectures: before.lectures.slice(0, 1),
    };
    const after = make([monday], left);
    expect(after.topics).toHaveLength(2);
    expect(idOf(after, volcano)).toBe(idOf(before, volcano));
    expect(idOf(after, violin)).toBe(idOf(before, violin));
    expect(after.nextId).toBe(before.nextId);
  });

  test('embeddings of other weights: all is found anew, under new ids', () => {
    const before = { ...make([monday]), weights: 'other#1' };
    const after = make([monday], before);
    for (const { id } of after.topics) expect(id).toBeGreaterThanOrEqual(before.nextId);
  });

  test('equal input gives equal output; no lectures give no topics', () => {
    expect(make([monday, tuesday])).toEqual(make([monday, tuesday]));
    expect(make([])).toMatchObject({ topics: [], lectures: [], nextId: 0 });
  });
});

describe('merging', () => {
  const kept = make([monday, tuesday]);
  const lectures = toViews('monday', 'tuesday');

  test.each([1, 2, 3, 100])('%i topics asked for: no more are given, and no second is lost', (topicCount) => {
    const { topics } = toCourseTopics(kept, lectures, topicCount);
    expect(topics).toHaveLength(Math.min(topicCount, 3));
    expect(topics.reduce((sum, { seconds }) => sum + seconds, 0)).toBe(280);
  });

  test('the two likest are joined, under the id of the larger one', () => {
    const topic = (id: number, size: number, centre: number[]) => ({
      id,
      size,
      centre,
      label: `t${id}`,
      terms: [{ term: `t${id}`, weight: 1 }],
      leastCosine: 0,
    });
    const merged = mergeTopics([topic(4, 1, [1, 0]), topic(7, 3, [0.9, 0.1]), topic(9, 9, [0, 1])], 2);
    expect(merged.topics.map(({ id, size, label }) => [id, size, label])).toEqual([
      [7, 4, 't7, t4'],
      [9, 9, 't9'],
    ]);
    expect([...merged.idOf]).toEqual(
      expect.arrayContaining([
        [4, 7],
        [7, 7],
        [9, 9],
      ]),
    );
  });

  test('lectures that are not shown leave nothing behind', () => {
    const { topics } = toCourseTopics(kept, toViews('tuesday'), undefined);
    expect(topics.map(({ id }) => id).sort()).toEqual([idOf(kept, violin), idOf(kept, bread)].sort());
    for (const { lectures: own } of topics) expect(own.map(({ lectureId }) => lectureId)).toEqual(['tuesday']);
  });
});
