import { createRandom } from './mutate.ts';

/** What a visitor does. The share of each is a weight, together 100. */
export const loadMix = {
  /** A lecture, its transcript, chapters, topics, summary or cards. */
  read: 38,
  /** The list of lectures. */
  list: 5,
  /** What is the same for everybody: the models, the description of the API. */
  listed: 7,
  /** Topics, chapters or a summary of a text. */
  text: 25,
  /** A streamed summary. */
  stream: 5,
  /** A clip of two seconds. */
  clip: 15,
  /** The events of a lecture that has ended. */
  events: 4,
  /** A new recording of two seconds. */
  upload: 1,
} as const;
export type LoadKind = keyof typeof loadMix;

/** So many different texts and clips are sent; how often each one is follows Zipf's law (exponent 1). */
export const differentTexts = 20;
export const differentClips = 12;
/** More would only measure the transcription. */
export const maxUploads = 10;

export interface PlannedRequest {
  kind: LoadKind;
  /** Which of the texts, clips, lectures or paths. */
  item: number;
  /** Which of the visitors. */
  visitor: number;
}

/** The same seed gives the same requests, in the same order. Beyond `maxUploads` an upload becomes a read. */
export function planLoad(options: { seed: number; count: number; visitors: number }): PlannedRequest[] {
  const random = createRandom(options.seed);
  const kinds = (Object.keys(loadMix) as LoadKind[]).flatMap((kind) => Array<LoadKind>(loadMix[kind]).fill(kind));
  let uploads = 0;
  return Array.from({ length: options.count }, () => {
    let kind = kinds[random(kinds.length)] as LoadKind;
    if (kind === 'upload' && ++uploads > maxUploads) kind = 'read';
    const item =
      kind === 'text' || kind === 'stream'
        ? drawZipf(random, differentTexts)
        : kind === 'clip'
          ? drawZipf(random, differentClips)
          : random(1_000);
    return { kind, item, visitor: random(options.visitors) };
  });
}

/** A number below `count`, 0 the most often: the n-th with a weight of 1/n. */
function drawZipf(random: (below: number) => number, count: number): number {
  const weights = Array.from({ length: count }, (_, i) => 1 / (i + 1));
  let left = (random(2 ** 30) / 2 ** 30) * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left <= 0) return i;
  }
  return count - 1;
}
