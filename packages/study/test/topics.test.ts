import { describe, expect, test } from 'vitest';
import { kMeans, simplifiedSilhouette } from '../src/clustering.ts';
import { dot, rowAt } from '../src/embeddings.ts';
import { adjustedRandIndex, boundaryF1, diversity, npmi, pk, windowDiff } from '../src/metrics.ts';
import { createRandom, reduceByPca } from '../src/reduction.ts';
import { findTopics, lectureTopics } from '../src/topics.ts';
import { embedByTheme, embedByWords, lecture, themes, toTimed } from './texts.ts';

const truth = lecture.map((_, index) => Math.floor(index / 8));

describe('findTopics', () => {
  test.each([undefined, 3])('three themes, count %s: each is a topic, with terms of its own', (topicCount) => {
    const { topics, assignments } = findTopics({ documents: lecture, embeddings: embedByTheme(truth), topicCount });
    expect(adjustedRandIndex(assignments, truth)).toBe(1);
    const labels = topics.map(({ label }) => label.toLowerCase());
    expect(labels.filter((label) => /eruption|magma|lava|gas/.test(label))).toHaveLength(1);
    expect(labels.filter((label) => /violin|strings/.test(label))).toHaveLength(1);
    expect(labels.filter((label) => /dough|bread|flour/.test(label))).toHaveLength(1);
    expect(topics.map(({ id }) => id)).toEqual([0, 1, 2]);
    for (const topic of topics) {
      expect(topic.size).toBe(assignments.filter((id) => id === topic.id).length);
      expect(topic.label).not.toBe('');
      for (let index = 1; index < topic.terms.length; index++) {
        expect(topic.terms[index]?.weight).toBeLessThanOrEqual(topic.terms[index - 1]?.weight as number);
      }
    }
  });

  test('equal input gives equal output', () => {
    const input = { documents: lecture, embeddings: embedByWords(lecture) };
    expect(findTopics(input)).toEqual(findTopics(input));
  });

  test('five documents are all assigned', () => {
    const documents = lecture.slice(0, 5);
    const { topics, assignments } = findTopics({ documents, embeddings: embedByWords(documents) });
    expect(topics.length).toBeGreaterThanOrEqual(1);
    expect(assignments.every((id) => id !== null)).toBe(true);
  });

  test('equal documents are one topic, whatever count is asked for', () => {
    const documents = Array.from({ length: 30 }, () => lecture[0] as string);
    const { topics } = findTopics({ documents, embeddings: embedByWords(documents), topicCount: 5 });
    expect(topics).toHaveLength(1);
  });

  test('seven documents of three themes, two or three each: each theme is a topic', () => {
    const { topics, assignments } = findTopics({
      documents: [...themes.volcano.slice(0, 3), ...themes.violin.slice(0, 2), ...themes.bread.slice(0, 2)],
      embeddings: embedByTheme([0, 0, 0, 1, 1, 2, 2]),
    });
    expect(assignments).toEqual([0, 0, 0, ...assignments.slice(3)]);
    expect(adjustedRandIndex(assignments, [0, 0, 0, 1, 1, 2, 2])).toBe(1);
    expect(topics.map(({ size }) => size)).toEqual([3, 2, 2]);
  });

  test.each([[['one']], [['a b', 'c d']], [['...', '!!']], [['', ' ']]])(
    '%j: the topic has a label and terms',
    (documents) => {
      const { topics } = findTopics({ documents, embeddings: embedByWords(documents) });
      expect(topics).toHaveLength(1);
      expect(topics[0]?.label).not.toBe('');
      expect(topics[0]?.terms.length).toBeGreaterThan(0);
    },
  );

  test('one document and none are answered', () => {
    expect(findTopics({ documents: ['volcano'], embeddings: embedByWords(['volcano']) }).assignments).toEqual([0]);
    expect(findTopics({ documents: [], embeddings: { dimensions: 64, vectors: new Float32Array() } })).toEqual({
      topics: [],
      assignments: [],
    });
  });
});

test.each([
  ['fr', "Si tout le magma monte comme cela, c'est parce qu'il y a aussi une chambre.", ['magma', 'monte', 'chambre']],
  [
    'de',
    'Wenn während dessen trotzdem das Magma steigt, würde sogar die Kammer leer.',
    ['Magma', 'Kammer', 'steigt', 'leer'],
  ],
  ['es', 'Entonces, cuando el magma sube, también hay siempre una cámara.', ['magma', 'sube', 'cámara']],
  ['it', "Quindi dell'acqua e anche il magma sono sempre nella camera.", ["dell'acqua", 'magma', 'camera']],
  ['pt', 'Então, quando o magma sobe, também há sempre uma câmara.', ['magma', 'sobe', 'câmara']],
  [
    'zh',
    '火山喷发的时候,岩浆从地壳的裂缝里上升,所以我们可以看到它的火山灰。',
    ['火山', '喷发', '岩浆', '地壳', '裂缝', '上升', '火山灰'],
  ],
  [
    'ja',
    '火山が噴火するとき、マグマは地殻の割れ目から上がってきます。とても熱い。',
    ['火山', '噴火', 'マグマ', '地殻', '割れ目', '熱い'],
  ],
  [
    'ru',
    'Когда вулкан извергается, магма поднимается из камеры.',
    ['вулкан', 'извергается', 'магма', 'поднимается', 'камеры'],
  ],
  ['ar', 'هذا البركان يعني أيضا مثلا فوق الأرض لأنه هكذا.', ['البركان', 'الأرض']],
])('terms of a text in %s are its content words', (language, text, expected) => {
  const { topics } = findTopics({ documents: [text], embeddings: embedByWords([text]), language });
  expect(topics[0]?.terms.map(({ term }) => term.toLowerCase()).sort()).toEqual(
    expected.map((term) => term.toLowerCase()).sort(),
  );
});

test('lectureTopics: spans lie inside the lecture, ascend and cover every sentence once', () => {
  const sentences = toTimed(lecture);
  const topics = lectureTopics({ sentences, embeddings: embedByWords(lecture), language: 'en' });
  expect(topics.reduce((sum, topic) => sum + topic.size, 0)).toBe(sentences.length);
  for (const { spans } of topics) {
    for (let index = 1; index < spans.length; index++) {
      expect(spans[index]?.start).toBeGreaterThanOrEqual(spans[index - 1]?.end as number);
    }
  }
  const covering = (at: number): number =>
    topics.filter(({ spans }) => spans.some(({ start, end }) => at >= start && at < end)).length;
  for (const { start } of sentences) expect(covering(start)).toBe(1);
});

describe('reduction and clustering', () => {
  test('principal components of points on a plane keep their distances', () => {
    const random = createRandom(3);
    const plane = Array.from({ length: 40 }, () => [random() * 4, random() * 2]);
    const vectors = Float32Array.from(plane.flatMap(([x = 0, y = 0]) => [x, y, x + y, x - y, 1]));
    const reduced = reduceByPca({ dimensions: 5, vectors }, 2);
    for (const [a, b] of [
      [0, 1],
      [5, 30],
      [12, 39],
    ] as const) {
      const distance = (points: Float32Array, other: Float32Array): number =>
        Math.sqrt(points.reduce((sum, value, d) => sum + (value - (other[d] as number)) ** 2, 0));
      const before = distance(vectors.subarray(a * 5, a * 5 + 5), vectors.subarray(b * 5, b * 5 + 5));
      expect(distance(rowAt(reduced, a), rowAt(reduced, b))).toBeCloseTo(before, 3);
    }
    const columns = [0, 1].map((d) => Float64Array.from({ length: 40 }, (_, row) => rowAt(reduced, row)[d] as number));
    expect(Math.abs(dot(columns[0] as Float64Array, columns[1] as Float64Array))).toBeLessThan(0.05);
  });

  test('three far groups: three clusters have the best silhouette', () => {
    const random = createRandom(5);
    const vectors = Float32Array.from(
      { length: 180 },
      (_, index) => ([0, 10, 25][Math.floor(index / 60)] as number) + random(),
    );
    const points = { dimensions: 2, vectors };
    const scores = [2, 3, 4, 5].map((k) => simplifiedSilhouette(points, kMeans(points, k)));
    expect(Math.max(...scores)).toBe(scores[1]);
  });
});

describe('metrics', () => {
  test('pk and windowDiff of the example of one misplaced boundary match a count by hand', () => {
    // Ten sentences, reference 0 5, hypothesis 0 4: width round(10 / 4) = 3 (2.5 rounds up), seven windows.
    const input = { sentenceCount: 10, reference: [0, 5], hypothesis: [0, 4] };
    // reference parts windows starting at 2, 3, 4; hypothesis at 1, 2, 3: two of seven differ.
    expect(pk(input)).toBeCloseTo(2 / 7, 10);
    expect(windowDiff(input)).toBeCloseTo(2 / 7, 10);
    expect(windowDiff({ ...input, hypothesis: [0, 4, 5] })).toBeCloseTo(3 / 7, 10);
    expect(pk({ ...input, hypothesis: [0, 5] })).toBe(0);
  });

  test('boundaries match one to one within the tolerance', () => {
    expect(boundaryF1({ reference: [0, 5, 9], hypothesis: [0, 6, 7], tolerance: 2 })).toBe(1);
    expect(boundaryF1({ reference: [0, 5], hypothesis: [0, 4, 6], tolerance: 1 })).toBeCloseTo(2 / 3, 10);
  });

  test('adjusted Rand index: equal up to names is 1, the value of scikit-learn for a mixed case', () => {
    expect(adjustedRandIndex([0, 0, 1, 1], [5, 5, 2, 2])).toBe(1);
    expect(adjustedRandIndex([0, 0, 1, 1], [0, 0, 1, 2])).toBeCloseTo(0.5714285714, 8);
  });

  test('words that always meet have NPMI 1, words that never meet have about -1', () => {
    const texts = [['a', 'b'], ['a', 'b'], ['c'], ['d']];
    expect(npmi({ topics: [['a', 'b']], texts })).toBeCloseTo(1, 5);
    expect(npmi({ topics: [['c', 'd']], texts })).toBeLessThan(-0.85);
  });

  test('diversity is the share of unique words', () => {
    expect(
      diversity([
        ['a', 'b'],
        ['b', 'c'],
      ]),
    ).toBe(0.75);
  });
});

test('themes are of equal size', () => {
  expect(Object.values(themes).map((sentences) => sentences.length)).toEqual([8, 8, 8]);
});
