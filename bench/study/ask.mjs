/**
 * Search and questions over lectures: node bench/study/ask.mjs DATA [--sets printing,physics,ai,…] [--misses] [--fit]
 * Each set is one owner's lectures, searched together. The texts are spoken at 2.6 words a second.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMeeting, readSegmented } from './data.mjs';
import { createEmbedder } from './embed.mjs';
import { loadStudy } from './load-study.mjs';

const [dataFolder, ...options] = process.argv.slice(2);
if (dataFolder === undefined) throw new Error('give the folder of the data');
const optionOf = (name) => options[options.indexOf(name) + 1];
const study = await loadStudy([
  'sentences',
  'search/answer-confidence',
  'search/dictionary',
  'search/highlights',
  'search/keyword-index',
  'search/make-search-index',
  'search/passages',
  'search/quantised-vectors',
  'search/query-terms',
  'search/rank',
  'search/search-shards',
  'search/search-words',
  'search/shard',
  '../../../bench/lib/logistic-regression',
]);
const { embed } = createEmbedder();
const breathe = () => undefined;
/** Passages that are looked at closely, and those of each question that the probabilities are fitted to. */
const candidates = 24;
const fitted = 10;
const questions = JSON.parse(readFileSync(fileURLToPath(new URL('questions.json', import.meta.url)), 'utf8'));
const sampleFile = fileURLToPath(new URL('../../samples/history-of-printing.txt', import.meta.url));

const words = study.createSearchWords('en');
/** For comparing with what the question set names: letters and digits alone. */
const plain = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ');
const tidy = (text) =>
  text
    .replace(/ (['’]\s?(?:s|t|m|re|ve|ll|d)\b)/g, '$1')
    .replace(/' (?=[a-z])/g, "'")
    .replace(/ ([.,?!;:])/g, '$1');

function spoken(sentences) {
  let at = 0;
  return sentences.map((text) => {
    const start = at;
    at += text.split(/\s+/).length / 2.6;
    const sentence = { text, start, end: at, pauseBefore: start === 0 ? 0 : 0.5, confidence: 0.9, flagged: false };
    at += 0.5;
    return sentence;
  });
}

/** What people said in committees, as speech that is no lecture. */
const meetings = { universities: 'education_10', parliament: 'covid_6', childcare: 'education_22' };

function readLectures(set) {
  if (meetings[set]) return [readMeeting(dataFolder, meetings[set], study.splitSentences).sentences];
  if (set === 'printing') return [study.splitSentences(readFileSync(sampleFile, 'utf8'))];
  const folder = path.join(dataFolder, 'segmentation', `mit-${set}/manual`);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ref'))
    .sort()
    .map((name) => readSegmented(path.join(folder, name)).sentences.map(tidy));
}

async function loadSet(set) {
  const parts = [];
  for (const texts of readLectures(set)) {
    const sentences = spoken(texts);
    const embeddings = await embed(texts);
    const passages = study.cutPassages(sentences);
    const whole = await embed(passages.map(({ text }) => text));
    parts.push({ passages, embeddings, whole });
  }
  return toLoaded(parts);
}

/** @param parts with `whole`, the passages embedded as one text each, or without */
function toLoaded(parts) {
  const dictionary = study.createDictionary();
  const lectures = parts.map(({ passages, embeddings, whole }) => {
    const texts = passages.map(({ text }) => text);
    const keywords = study.buildKeywordIndex(texts, words);
    const mean = study.toShard(keywords, study.quantise(study.toPassageVectors(passages, embeddings)), dictionary);
    return { passages, embeddings, mean, whole: whole && study.toShard(keywords, study.quantise(whole), dictionary) };
  });
  return { dictionary, lectures };
}

const cosineOf = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** The best sentence of a passage by meaning. */
function bestSentence({ embeddings }, { firstSentence, sentenceCount }, query) {
  let best = -1;
  for (let i = firstSentence; i < firstSentence + sentenceCount; i++) {
    best = Math.max(best, cosineOf(query, embeddings.vectors.subarray(i * 384, (i + 1) * 384)));
  }
  return best;
}

async function rankAll({ dictionary, lectures }, question, vector) {
  const query = study.toQueryTerms(`${question} `, words, dictionary);
  const quantised = study.quantise({ dimensions: 384, vectors: vector });
  const byMeaning = (kind) =>
    study.searchVectors(
      lectures.map((each) => each[kind]),
      quantised,
      { limit: 100, floor: -1 },
      breathe,
    );
  const shards = lectures.map(({ mean }) => mean);
  const located = await study.locateQuery(shards, query, breathe);
  const keyword = await study.searchKeywords(shards, located, 100, breathe);
  const mean = await byMeaning('mean');
  const whole = await byMeaning('whole');
  const maxSentence = lectures
    .flatMap((lecture, shard) =>
      lecture.passages.map((passage, row) => ({ shard, row, score: bestSentence(lecture, passage, vector) })),
    )
    .sort((a, b) => b.score - a.score)
    .slice(0, 100);
  const fuse = (...lists) => study.fuseByRank(lists);
  return {
    keyword,
    mean,
    whole,
    maxSentence,
    'keyword+mean': fuse(keyword, mean),
    'keyword+whole': fuse(keyword, whole),
    'keyword+mean+max': fuse(keyword, mean, maxSentence),
  };
}

const isGold = (loaded, answer, { shard, row }) => {
  const text = plain(loaded.lectures[shard].passages[row].text);
  return answer.some((phrase) => text.includes(phrase));
};
const format = (value) => value.toFixed(3);

/** As apps/api/src/search/ask.ts looks at what search has found first. */
async function judge(loaded, lists, question, vector) {
  const shards = loaded.lectures.map(({ mean }) => mean);
  const query = study.toQueryTerms(`${question} `, words, loaded.dictionary);
  const asked = study.toQuestionWords(await study.locateQuery(shards, query, breathe));
  const quantised = study.quantise({ dimensions: 384, vectors: vector });
  return lists['keyword+mean'].slice(0, candidates).map((hit) => {
    const lecture = loaded.lectures[hit.shard];
    const passage = lecture.passages[hit.row];
    const near = study.createCosine(quantised)(lecture.mean.vectors, hit.row);
    const meaning = { sentence: bestSentence(lecture, passage, vector), passage: near };
    const coverage = study.toCoverage(passage.text, asked, words);
    return { ...hit, meaning, coverage, score: study.toAnswerConfidence({ meaning, coverage }) };
  });
}

const wantedSets = (options.includes('--sets') ? optionOf('--sets') : Object.keys(questions).join(',')).split(',');
/** On these sets the probabilities are fitted; the others are not looked at for it. */
const fittedSets = ['printing', 'physics'];
const stretchPassages = 8;
const examples = [];
function keepExamples(set, loaded, judged, answer) {
  if (!fittedSets.includes(set)) return;
  for (const { meaning, coverage, ...hit } of judged.slice(0, fitted)) {
    examples.push({ signals: [meaning.sentence, meaning.passage, coverage], outcome: isGold(loaded, answer, hit) });
  }
}
for (const set of wantedSets) {
  const loaded = await loadSet(set);
  const count = loaded.lectures.reduce((sum, { passages }) => sum + passages.length, 0);
  const asked = questions[set];
  const vectors = await embed(asked.map(({ question }) => question));
  const tally = {};
  const note = (name, rank, question) => {
    tally[name] ??= { one: 0, three: 0, reciprocal: 0, n: 0 };
    tally[name].n++;
    if (rank === 0) tally[name].one++;
    if (rank >= 0 && rank < 3) tally[name].three++;
    if (rank >= 0) tally[name].reciprocal += 1 / (rank + 1);
    if (options.includes('--misses') && (rank < 0 || rank > 2)) console.log(`  ${name}: ${question} (${rank})`);
  };
  const tops = [];
  const bestScores = { yes: [], not: [] };
  const answered = { right: 0, wrong: 0, missed: 0, refused: 0 };
  for (const [i, { question, answer }] of asked.entries()) {
    const vector = vectors.vectors.slice(i * 384, (i + 1) * 384);
    const lists = await rankAll(loaded, question, vector);
    const judged = await judge(loaded, lists, question, vector);
    keepExamples(set, loaded, judged, answer);
    judged.sort((x, y) => y.score - x.score);
    const isAnswered = judged.length > 0 && study.isAnswered(judged[0].score, true);
    if (isAnswered && options.includes('--misses') && answer.length === 0)
      console.log(`  answered: ${question} ${format(judged[0].score)}`);
    if (!isAnswered && options.includes('--misses') && answer.length > 0)
      console.log(`  refused: ${question} ${format(judged[0]?.score ?? 0)}`);
    bestScores[answer.length === 0 ? 'not' : 'yes'].push(judged[0]?.score ?? 0);
    if (answer.length === 0) {
      answered[isAnswered ? 'wrong' : 'refused']++;
      continue;
    }
    if (!isAnswered) answered.missed++;
    else answered.right++;
    if (judged[0]) tops.push({ score: judged[0].score, isRight: isGold(loaded, answer, judged[0]) });
    lists.judged = judged;
    for (const [name, hits] of Object.entries(lists))
      note(
        name,
        hits.findIndex((hit) => isGold(loaded, answer, hit)),
        question,
      );
  }
  console.log(`\n## ${set}: ${loaded.lectures.length} lectures, ${count} passages`);
  for (const [name, { one, three, reciprocal, n }] of Object.entries(tally)) {
    console.log(
      `${name.padEnd(18)} recall@1 ${format(one / n)} @3 ${format(three / n)} MRR ${format(reciprocal / n)} (${n})`,
    );
  }
  const mean = (values) => format(values.reduce((sum, value) => sum + value, 0) / values.length);
  console.log(
    `first passage: confidence ${mean(tops.map(({ score }) => score))}, right ${mean(tops.map(({ isRight }) => Number(isRight)))}`,
  );
  const sorted = (name) => bestScores[name].sort((a, b) => a - b).map((score) => score.toFixed(2));
  if (options.includes('--fit')) console.log(`answerable: ${sorted('yes').join(' ')}\nnot: ${sorted('not').join(' ')}`);
  const { right, wrong, missed, refused } = answered;
  console.log(
    `answerable: ${right} of ${right + missed} answered; not: ${refused} of ${refused + wrong} refused; precision of refusals ${format(refused / Math.max(1, refused + missed))}`,
  );
  if (count <= stretchPassages) continue;
  const short = await askStretches(set, loaded, vectors);
  console.log(
    `stretches of 3 minutes: ${short.answered} of ${short.answerable} answered; not: ${short.refused} of ${short.unanswerable} refused; asked elsewhere: ${short.refusedNear} of ${short.near} refused`,
  );
}
/**
 * The same in short lectures: stretches of eight passages, some three minutes. Each question is asked of one that has its answer,
 * and of three that answer other questions of the set; one without an answer is asked of one.
 */
async function askStretches(set, loaded, vectors) {
  const asked = questions[set];
  const isOf = (answer, { text }) => answer.some((phrase) => plain(text).includes(phrase));
  const stretchOf = (answer, before) => {
    for (const { passages, embeddings } of loaded.lectures) {
      const row = passages.findIndex((passage) => isOf(answer, passage));
      const from = Math.max(0, Math.min(passages.length - stretchPassages, row - before));
      if (row >= 0) return { passages: passages.slice(from, from + stretchPassages), embeddings };
    }
    return null;
  };
  const tally = { answered: 0, answerable: 0, refused: 0, unanswerable: 0, refusedNear: 0, near: 0 };
  const judgeIn = async (stretch, i) => {
    const own = toLoaded([stretch]);
    const vector = vectors.vectors.slice(i * 384, (i + 1) * 384);
    const { question } = asked[i];
    const judged = await judge(own, await rankAll(own, question, vector), question, vector);
    return judged.some(({ score }) => study.isAnswered(score, true));
  };
  const answerable = asked.flatMap(({ answer }, i) => (answer.length > 0 ? [{ answer, i }] : []));
  for (const [k, { answer, i }] of answerable.entries()) {
    const stretch = stretchOf(answer, asked[i].question.length % (stretchPassages - 1));
    if (!stretch) continue;
    tally.answerable++;
    if (await judgeIn(stretch, i)) tally.answered++;
    for (const step of [3, 5, 8]) {
      const other = stretchOf(answerable[(k + step) % answerable.length].answer, 3);
      if (!other || other.passages.some((passage) => isOf(answer, passage))) continue;
      tally.near++;
      if (!(await judgeIn(other, i))) tally.refusedNear++;
    }
  }
  const without = asked.flatMap(({ answer }, i) => (answer.length === 0 ? [i] : []));
  for (const [k, i] of without.entries()) {
    const stretch = stretchOf(answerable[k % answerable.length].answer, 3);
    if (!stretch) continue;
    tally.unanswerable++;
    if (!(await judgeIn(stretch, i))) tally.refused++;
  }
  return tally;
}

if (options.includes('--fit')) {
  // Signals of 0 to 1 count as 0 to 10, so that the ridge of 1 hardly holds them back.
  const solve = (pick) => {
    const [constant, ...weights] = study.fitLogistic(
      examples.map(({ signals, outcome }) => ({ outcome, signals: pick(signals).map((value) => value * 10) })),
    );
    return [constant, ...weights.map((weight) => weight * 10)].map(format).join(' ');
  };
  console.log(
    'with meaning:',
    solve((signals) => signals),
  );
  console.log(
    'words alone:',
    solve(([, , coverage]) => [coverage]),
  );
}
