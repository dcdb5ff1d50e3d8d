import type { KeptCourseTopics } from '@studymate/contracts/artifacts';
import { cosine, type Embeddings, meanRow, pickRows, rowAt } from './embeddings.ts';
import type { QuantisedVectors } from './search/quantised-vectors.ts';
import { centreCosine } from './topic-merging.ts';
import { findTopics } from './topics.ts';

export interface CourseLecture {
  lectureId: string;
  /** Which of its indexes this is. */
  source: string;
  language: string;
  passages: readonly { start: number; end: number; text: string }[];
  /** One row a passage. */
  vectors: QuantisedVectors;
}

/** Topics are looked for among at most so many passages, evenly spread; the others are assigned to what was found. */
const maxFitted = 8_000;
/** As long as the course has grown by less than this share since, new passages are assigned and nothing is fitted anew. */
const growthBeforeRefit = 0.25;
/** Unless more than this share of the new ones is of no topic that there is. */
const strangersBeforeRefit = 0.2;
/** So much of what two topics hold must be the same for them to be one (Dice). */
const leastOverlap = 0.25;
/** Where they share no passages, their centres must be as near as this. */
const leastCentreCosine = 0.9;
/** A passage is of no topic when it is clearly further from the centre than all but this share of the topic's own. */
const strangersShare = 0.03;
const strangersMargin = 0.05;

/**
 * Topics over the lectures of a course. A topic that was there before keeps its id: new passages are assigned to the
 * topics that there are, and when topics are found anew, they are matched with the earlier ones by the passages that both
 * have. Equal input gives equal output.
 */
export function makeCourseTopics(params: {
  lectures: readonly CourseLecture[];
  weights: string;
  inputHash: string;
  earlier: KeptCourseTopics | null;
}): KeptCourseTopics {
  const { lectures, weights, inputHash } = params;
  const earlier = params.earlier?.weights === weights ? params.earlier : null;
  const embeddings = toEmbeddings(lectures);
  const count = lectures.reduce((sum, { passages }) => sum + passages.length, 0);
  const assigned = earlier && assignWithoutRefit(earlier, lectures, embeddings, count);
  const found = assigned ?? fit(lectures, embeddings, count, earlier, params.earlier?.nextId ?? 0);
  let row = 0;
  return {
    schemaVersion: 1,
    inputHash,
    weights,
    fittedPassages: assigned && earlier ? earlier.fittedPassages : count,
    nextId: found.nextId,
    topics: found.topics,
    lectures: lectures.map(({ lectureId, source, passages }) => ({
      lectureId,
      source,
      passages: passages.map(({ start, end }) => ({ start, end, topic: found.assignments[row++] ?? null })),
    })),
  };
}

function toEmbeddings(lectures: readonly CourseLecture[]): Embeddings {
  const dimensions = lectures[0]?.vectors.dimensions ?? 0;
  const count = lectures.reduce((sum, { passages }) => sum + passages.length, 0);
  const vectors = new Float32Array(count * dimensions);
  let at = 0;
  for (const { vectors: own, passages } of lectures) {
    for (let row = 0; row < passages.length; row++) {
      const scale = own.scales[row] ?? 0;
      for (let d = 0; d < dimensions; d++) vectors[at++] = scale * (own.values[row * dimensions + d] ?? 0);
    }
  }
  return { dimensions, vectors };
}

interface Found {
  topics: KeptCourseTopics['topics'];
  assignments: (number | null)[];
  nextId: number;
}

/** For each row the id of the topic whose centre is nearest; null where none is near enough. */
export function assignToTopics(
  topics: KeptCourseTopics['topics'],
  embeddings: Embeddings,
  rows: readonly number[],
): (number | null)[] {
  const centres = topics.map(({ centre }) => Float64Array.from(centre));
  return rows.map((row) => {
    const own = Float64Array.from(rowAt(embeddings, row));
    let best: { score: number; id: number | null } = { score: Number.NEGATIVE_INFINITY, id: null };
    topics.forEach(({ id, leastCosine }, index) => {
      const score = cosine(own, centres[index] as Float64Array);
      if (score > best.score) best = { score, id: score >= leastCosine ? id : null };
    });
    return best.id;
  });
}

/** Known passages keep their topic, new ones get the nearest; null when the topics must be found anew. */
function assignWithoutRefit(
  earlier: KeptCourseTopics,
  lectures: readonly CourseLecture[],
  embeddings: Embeddings,
  count: number,
): Found | null {
  const change = Math.abs(count - earlier.fittedPassages) / Math.max(1, earlier.fittedPassages);
  if (earlier.topics.length === 0 || change > growthBeforeRefit) return null;
  // Their words must not stay in the labels of topics.
  const sources = new Set(lectures.map(({ source }) => source));
  if (earlier.lectures.some(({ source }) => !sources.has(source))) return null;
  const assignments = knownAssignments(earlier, lectures);
  const fresh = assignments.flatMap((id, row) => (id === undefined ? [row] : []));
  const given = assignToTopics(earlier.topics, embeddings, fresh);
  const strangers = given.filter((id) => id === null).length;
  if (fresh.length > 0 && strangers / fresh.length > strangersBeforeRefit) return null;
  fresh.forEach((row, index) => {
    assignments[row] = given[index] ?? null;
  });
  return { topics: earlier.topics, assignments: assignments.map((id) => id ?? null), nextId: earlier.nextId };
}

/** For each passage in order what it was assigned to; undefined for those that are new. */
function knownAssignments(
  earlier: KeptCourseTopics,
  lectures: readonly CourseLecture[],
): (number | null | undefined)[] {
  const known = new Map(earlier.lectures.map((lecture) => [lecture.source, lecture.passages]));
  return lectures.flatMap(({ source, passages }): (number | null | undefined)[] => {
    const own = known.get(source);
    return passages.map((_, index) => (own === undefined ? undefined : (own[index]?.topic ?? null)));
  });
}

function fit(
  lectures: readonly CourseLecture[],
  embeddings: Embeddings,
  count: number,
  earlier: KeptCourseTopics | null,
  nextId: number,
): Found {
  const texts = lectures.flatMap(({ passages }) => passages.map(({ text }) => text));
  const stride = Math.max(1, Math.ceil(count / maxFitted));
  const rows = [...Array(count).keys()];
  const fitted = rows.filter((row) => row % stride === 0);
  const { topics, assignments } = findTopics({
    documents: fitted.map((row) => texts[row] as string),
    embeddings: pickRows(embeddings, fitted),
    language: mainLanguage(lectures),
  });
  const kept = topics.map(({ id, label, terms }) => {
    const own = fitted.filter((_, index) => assignments[index] === id);
    const centre = meanRow(embeddings, own);
    const cosines = own.map((row) => cosine(Float64Array.from(rowAt(embeddings, row)), centre)).sort((a, b) => a - b);
    const leastCosine = (cosines[Math.floor(cosines.length * strangersShare)] ?? 0) - strangersMargin;
    return { id, label, terms, centre: [...centre].map((value) => Number(value.toFixed(5))), leastCosine };
  });
  const all: (number | null)[] = new Array(count).fill(null);
  fitted.forEach((row, index) => {
    all[row] = assignments[index] ?? null;
  });
  const others = rows.filter((row) => row % stride !== 0);
  assignToTopics(kept, embeddings, others).forEach((id, index) => {
    all[others[index] as number] = id;
  });
  const names = matchTopics(kept, all, earlier, lectures);
  let next = nextId;
  const idOf = kept.map(({ id }) => names.get(id) ?? next++);
  return {
    topics: kept.map((topic, index) => ({ ...topic, id: idOf[index] as number })),
    assignments: all.map((id) => (id === null ? null : (idOf[id] as number))),
    nextId: next,
  };
}

function mainLanguage(lectures: readonly CourseLecture[]): string | null {
  const counts = new Map<string, number>();
  for (const { language, passages } of lectures) counts.set(language, (counts.get(language) ?? 0) + passages.length);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

/** Which earlier topic each new one is: the pairs with the largest overlap first, then those with the nearest centres. */
function matchTopics(
  topics: KeptCourseTopics['topics'],
  assignments: readonly (number | null)[],
  earlier: KeptCourseTopics | null,
  lectures: readonly CourseLecture[],
): Map<number, number> {
  const names = new Map<number, number>();
  if (earlier === null) return names;
  const known = knownAssignments(earlier, lectures);
  const both = new Map<string, number>();
  const sizes = new Map<number | null, number>();
  const oldSizes = new Map<number | null, number>();
  const count = <K>(counts: Map<K, number>, key: K) => counts.set(key, (counts.get(key) ?? 0) + 1);
  known.forEach((old, row) => {
    if (old === undefined) return;
    const id = assignments[row] ?? null;
    count(both, `${id} ${old}`);
    count(sizes, id);
    count(oldSizes, old);
  });
  const pairs = topics.flatMap((topic) =>
    earlier.topics.map((old) => {
      const either = (sizes.get(topic.id) ?? 0) + (oldSizes.get(old.id) ?? 0);
      const overlap = either > 0 ? (2 * (both.get(`${topic.id} ${old.id}`) ?? 0)) / either : 0;
      const near = overlap === 0 ? centreCosine(topic.centre, old.centre) : 0;
      // Any real overlap comes before any nearness.
      const score = overlap >= leastOverlap ? 1 + overlap : near >= leastCentreCosine ? near : 0;
      return { id: topic.id, old: old.id, score };
    }),
  );
  const taken = new Set<number>();
  for (const { id, old } of pairs.filter((pair) => pair.score > 0).sort((a, b) => b.score - a.score)) {
    if (names.has(id) || taken.has(old)) continue;
    names.set(id, old);
    taken.add(old);
  }
  return names;
}
