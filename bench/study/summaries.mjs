/**
 * Summaries of meetings against those that people wrote: node bench/study/summaries.mjs DATA_FOLDER [--part even|odd]
 * ROUGE-1, -2 and -L (F1) of ours, of the beginning, of TextRank and of sentences by chance, all of about the same length.
 */
import { readSummarisedMeetings } from './data.mjs';
import { createEmbedder } from './embed.mjs';
import { loadStudy } from './load-study.mjs';

const [dataFolder, ...options] = process.argv.slice(2);
if (dataFolder === undefined) throw new Error('give the folder of the text data');
const option = (name) => (options.includes(name) ? options[options.indexOf(name) + 1] : undefined);
const { toTimedSentences, makeSummary, createTerms, rougeN, rougeL } = await loadStudy([
  'sentences',
  'summary',
  'text-terms',
  'rouge',
]);
const { embed } = createEmbedder();

function countWords(text) {
  return text.split(/\s+/).filter((word) => word !== '').length;
}

/** The sentences in the order given until there are `words` words, then in the order of the meeting. */
function takeUntil(sentences, order, words) {
  const taken = [];
  let count = 0;
  for (const index of order) {
    if (count >= words) break;
    taken.push(index);
    count += countWords(sentences[index]);
  }
  return taken
    .sort((a, b) => a - b)
    .map((index) => sentences[index])
    .join(' ');
}

/** Mihalcea and Tarau (2004): PageRank over shared words, divided by the logarithms of the lengths. */
function textRank(sentences) {
  const terms = createTerms({ language: 'en', texts: sentences });
  const stems = sentences.map((sentence) => new Set(terms.contentStems(sentence)));
  const byStem = new Map();
  stems.forEach((own, row) => {
    for (const stem of own) byStem.set(stem, [...(byStem.get(stem) ?? []), row]);
  });
  const edges = stems.map((own, row) => {
    const shared = new Map();
    for (const stem of own) {
      for (const other of byStem.get(stem)) if (other !== row) shared.set(other, (shared.get(other) ?? 0) + 1);
    }
    return [...shared].map(([other, count]) => {
      const length = Math.log(own.size + 1) + Math.log(stems[other].size + 1);
      return { other, weight: count / length };
    });
  });
  const sums = edges.map((own) => own.reduce((sum, { weight }) => sum + weight, 0));
  let rank = new Float64Array(sentences.length).fill(1);
  for (let round = 0; round < 40; round++) {
    const next = new Float64Array(sentences.length).fill(0.15);
    edges.forEach((own, row) => {
      for (const { other, weight } of own) next[other] += (0.85 * rank[row] * weight) / sums[row];
    });
    rank = next;
  }
  return [...rank.keys()].sort((a, b) => rank[b] - rank[a]);
}

function shuffled(count, seed) {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return [...Array(count).keys()]
    .map((index) => [random(), index])
    .sort((a, b) => a[0] - b[0])
    .map(([, index]) => index);
}

const all = readSummarisedMeetings(dataFolder);
const part = option('--part');
const meetings = part === undefined ? all : all.filter((_, index) => (index % 2 === 0) === (part === 'even'));
const scores = new Map();
let seconds = 0;
for (const { transcript, reference } of meetings) {
  const sentences = toTimedSentences(transcript);
  const texts = sentences.map(({ text }) => text);
  const embeddings = await embed(texts);
  const started = performance.now();
  const summary = makeSummary({ sentences, embeddings, language: 'en' });
  seconds += (performance.now() - started) / 1000;
  const ofLength = (wanted) =>
    summary.statements
      .filter(({ length = 'medium' }) => ['short', 'medium', 'long'].indexOf(length) <= wanted)
      .map(({ text }) => text)
      .join(' ');
  const [short, medium, long] = [0, 1, 2].map(ofLength);
  const rank = textRank(texts);
  const chance = shuffled(texts.length, 7);
  const order = [...texts.keys()];
  const made = { 'lead-3': texts.slice(0, 3).join(' ') };
  for (const [name, own] of Object.entries({ short, medium, long })) {
    const words = countWords(own);
    made[`${name}: ours`] = own;
    made[`${name}: lead`] = takeUntil(texts, order, words);
    made[`${name}: TextRank`] = takeUntil(texts, rank, words);
    made[`${name}: random`] = takeUntil(texts, chance, words);
  }
  for (const [name, text] of Object.entries(made)) {
    const row = scores.get(name) ?? [];
    row.push([
      rougeN(text, reference, 1).f1,
      rougeN(text, reference, 2).f1,
      rougeL(text, reference).f1,
      countWords(text),
    ]);
    scores.set(name, row);
  }
}
const mean = (rows, column) => rows.reduce((sum, row) => sum + row[column], 0) / rows.length;
console.log(`${meetings.length} meetings, ${(seconds / meetings.length).toFixed(2)} s each without embedding`);
for (const [name, rows] of scores) {
  const [one, two, longest, words] = [0, 1, 2, 3].map((column) => mean(rows, column));
  console.log(
    `  ${name.padEnd(18)} ROUGE-1 ${one.toFixed(3)}  ROUGE-2 ${two.toFixed(3)}  ROUGE-L ${longest.toFixed(3)}  ${words.toFixed(0)} words`,
  );
}
