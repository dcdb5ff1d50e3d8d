/**
 * Chapters against published data: node bench/study/chapters.mjs DATA_FOLDER [--limit N] [--sets a,b]
 * Pk, WindowDiff, boundary F1 within two sentences and the mean number of chapters, beside the floors none, even and random.
 */
import { segmentationSets } from './data.mjs';
import { createEmbedder } from './embed.mjs';
import { loadStudy } from './load-study.mjs';

const [dataFolder, ...options] = process.argv.slice(2);
if (dataFolder === undefined) throw new Error('give the folder of the text data');
const option = (name) => (options.includes(name) ? options[options.indexOf(name) + 1] : undefined);
const { findBoundaries, pk, windowDiff, boundaryF1 } = await loadStudy(['chapters', 'metrics']);
const { embed } = createEmbedder();
const sets = segmentationSets(dataFolder, { limit: Number(option('--limit') ?? Number.POSITIVE_INFINITY) });
const wanted = option('--sets')?.split(',') ?? Object.keys(sets);

function seeded(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomBoundaries(count, segments, random) {
  const places = new Set([0]);
  while (places.size < Math.min(segments, count)) places.add(1 + Math.floor(random() * (count - 1)));
  return [...places].sort((a, b) => a - b);
}

const methods = {
  none: () => [0],
  even: ({ sentences, boundaries }) =>
    boundaries.map((_, index) => Math.round((index * sentences.length) / boundaries.length)),
  random: ({ sentences, boundaries, random }) => randomBoundaries(sentences.length, boundaries.length, random),
  'lexical, known count': ({ sentences, boundaries }) => findBoundaries({ sentences, chapterCount: boundaries.length }),
  'lexical, automatic': ({ sentences, level }) => findBoundaries({ sentences, level }),
  'ours, known count': ({ boundaries, ...document }) =>
    findBoundaries({ ...document, chapterCount: boundaries.length }),
  'ours, automatic': ({ boundaries: _, ...document }) => findBoundaries(document),
};

for (const name of wanted) {
  const documents = sets[name];
  for (const document of documents) document.embeddings = await embed(document.sentences);
  console.log(
    `\n${name}: ${documents.length} documents, ${(documents.reduce((sum, d) => sum + d.boundaries.length, 0) / documents.length).toFixed(1)} chapters`,
  );
  for (const [method, segment] of Object.entries(methods)) {
    const random = seeded(1);
    const started = performance.now();
    const found = documents.map((document) => segment({ ...document, random }));
    const seconds = (performance.now() - started) / 1000;
    const each = (measure) =>
      documents.map((document, index) =>
        measure({
          sentenceCount: document.sentences.length,
          reference: document.boundaries,
          hypothesis: found[index],
          tolerance: 2,
        }),
      );
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const values = each(pk);
    const error = Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)) / Math.max(1, values.length - 1));
    console.log(
      `  ${method.padEnd(22)} Pk ${mean(values).toFixed(3)} ±${error.toFixed(3)}  WindowDiff ${mean(each(windowDiff)).toFixed(3)}` +
        `  F1 ${mean(each(boundaryF1)).toFixed(3)}  chapters ${mean(found.map((b) => b.length)).toFixed(1)}  ${(seconds / documents.length).toFixed(3)} s each`,
    );
  }
}
