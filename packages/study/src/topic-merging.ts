import type { KeptCourseTopics } from '@studymate/contracts/artifacts';
import type { CourseTopics } from '@studymate/contracts/course-topics';

/** Plain arithmetic on what is kept of a course's topics: it needs neither a model nor a stemmer. */
type KeptTopic = KeptCourseTopics['topics'][number];

const shownTerms = 10;
const labelTerms = 3;
/** Passages of one topic that are parted by less than this are one moment. */
const joinGapSeconds = 15;

/** Cosine; centres have no fixed length. */
export function centreCosine(a: readonly number[], b: readonly number[]): number {
  let [product, ownA, ownB] = [0, 0, 0];
  for (let d = 0; d < a.length; d++) {
    const [x, y] = [a[d] as number, b[d] ?? 0];
    product += x * y;
    ownA += x * x;
    ownB += y * y;
  }
  return ownA > 0 && ownB > 0 ? product / Math.sqrt(ownA * ownB) : 0;
}

/**
 * The topics joined until `topicCount` are left: again and again the two whose centres are likest (agglomerative, centres
 * weighted by size). A joined topic has the id and the words of the larger one first, so ids stay what they were.
 * @returns the topics that are left, and for each earlier id the one that it is part of now
 */
export function mergeTopics(
  topics: readonly (KeptTopic & { size: number })[],
  topicCount: number,
): { topics: (KeptTopic & { size: number })[]; idOf: Map<number, number> } {
  const left = topics.map((topic) => ({ ...topic, members: [topic.id] }));
  const cosines = left.map((one) => left.map((other) => centreCosine(one.centre, other.centre)));
  while (left.length > Math.max(1, topicCount)) {
    let best = { score: Number.NEGATIVE_INFINITY, a: 0, b: 1 };
    for (let a = 0; a < left.length; a++) {
      for (let b = a + 1; b < left.length; b++) {
        const score = (cosines[a] as number[])[b] as number;
        if (score > best.score) best = { score, a, b };
      }
    }
    const pair = [left[best.a], left[best.b]] as [(typeof left)[number], (typeof left)[number]];
    const [larger, smaller] = pair[0].size >= pair[1].size ? pair : [pair[1], pair[0]];
    const size = larger.size + smaller.size;
    const terms = joinTerms(larger, smaller);
    left.splice(best.b, 1);
    left[best.a] = {
      id: larger.id,
      label: toLabel(terms),
      terms,
      size,
      leastCosine: Math.min(larger.leastCosine, smaller.leastCosine),
      centre: larger.centre.map(
        (value, d) => (value * larger.size + (smaller.centre[d] ?? 0) * smaller.size) / Math.max(1, size),
      ),
      members: [...larger.members, ...smaller.members],
    };
    cosines.splice(best.b, 1);
    for (const row of cosines) row.splice(best.b, 1);
    const { centre } = left[best.a] as KeptTopic;
    left.forEach((other, i) => {
      const score = centreCosine(centre, other.centre);
      (cosines[best.a] as number[])[i] = score;
      (cosines[i] as number[])[best.a] = score;
    });
  }
  const idOf = new Map(left.flatMap(({ id, members }) => members.map((member) => [member, id] as const)));
  return { topics: left.map(({ members: _, ...topic }) => topic), idOf };
}

function joinTerms(
  larger: Pick<KeptTopic, 'terms'> & { size: number },
  smaller: Pick<KeptTopic, 'terms'> & { size: number },
): KeptTopic['terms'] {
  const total = Math.max(1, larger.size + smaller.size);
  const weights = new Map<string, number>();
  for (const { terms, size } of [larger, smaller]) {
    for (const { term, weight } of terms) weights.set(term, (weights.get(term) ?? 0) + (weight * size) / total);
  }
  return [...weights]
    .map(([term, weight]) => ({ term, weight }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, shownTerms);
}

function toLabel(terms: KeptTopic['terms']): string {
  return terms
    .slice(0, labelTerms)
    .map(({ term }) => term)
    .join(', ');
}

/**
 * What the API answers: the heaviest topic first, each with the lectures in which it is spoken of (in the order of
 * `lectures`, the earliest first), for how many seconds, which share of what is said there, and at which moments.
 * @param lectures that are shown; what the kept topics have of others is left out
 */
export function toCourseTopics(
  kept: KeptCourseTopics,
  lectures: CourseTopics['lectures'],
  topicCount: number | undefined,
): Pick<CourseTopics, 'topics'> {
  const shown = new Map(kept.lectures.map((lecture) => [lecture.lectureId, lecture]));
  const passages = lectures.flatMap(({ id }) => shown.get(id)?.passages ?? []);
  const sizes = new Map<number | null, number>();
  for (const { topic } of passages) sizes.set(topic, (sizes.get(topic) ?? 0) + 1);
  const sized = kept.topics.map((topic) => ({ ...topic, size: sizes.get(topic.id) ?? 0 }));
  const present = sized.filter(({ size }) => size > 0);
  const { topics, idOf } = mergeTopics(present, topicCount ?? present.length);
  const views = topics.map(({ id, label, terms, size }) => {
    const own = lectures.flatMap((lecture) => {
      const spoken = shown.get(lecture.id)?.passages ?? [];
      const mine = spoken.filter(({ topic }) => topic !== null && idOf.get(topic) === id);
      if (mine.length === 0) return [];
      const seconds = sumSeconds(mine);
      const share = seconds / Math.max(seconds, sumSeconds(spoken));
      return [{ lectureId: lecture.id, seconds, share: Number.isFinite(share) ? share : 0, moments: toMoments(mine) }];
    });
    return { id, label, terms, size, seconds: own.reduce((sum, { seconds }) => sum + seconds, 0), lectures: own };
  });
  return { topics: views.sort((a, b) => b.seconds - a.seconds || a.id - b.id) };
}

function sumSeconds(passages: readonly { start: number; end: number }[]): number {
  return passages.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0);
}

function toMoments(passages: readonly { start: number; end: number }[]): { start: number; end: number }[] {
  const moments: { start: number; end: number }[] = [];
  for (const { start, end } of passages) {
    const last = moments.at(-1);
    if (last !== undefined && start - last.end < joinGapSeconds) last.end = Math.max(last.end, end);
    else moments.push({ start, end });
  }
  return moments;
}
