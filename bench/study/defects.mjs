/**
 * Counts what a student would stumble over in titles, labels, summaries and cards of real lectures:
 * node bench/study/defects.mjs DATA_FOLDER [--set tuned|unseen] [--show]
 * The tests are made of the texts alone and know nothing of how the parts are made; see README.md beside this file.
 */
import { readMeeting, segmentationSets, spoken } from './data.mjs';
import { createEmbedder } from './embed.mjs';
import { loadStudy } from './load-study.mjs';

const [dataFolder, ...options] = process.argv.slice(2);
if (dataFolder === undefined) throw new Error('give the folder of the text data');
const wantedSet = options.includes('--set') ? options[options.indexOf('--set') + 1] : undefined;
const study = await loadStudy(['sentences', 'chapters', 'topics', 'summary', 'flashcards', 'text-terms', 'embeddings']);
const { embed } = createEmbedder();
const terms = study.createTerms({ language: 'en' });
const stemsOf = (text) => study.findWords(text).map(({ lower }) => terms.stem(lower));

const tidy = (text) => text.replace(/ ([.,?!;:])/g, '$1').replace(/ (n't|'(?:s|t|m|re|ve|ll|d)\b)/g, '$1');
const sets = segmentationSets(dataFolder);
const everyFifth = (lectures) => lectures.filter((_, index) => index % 5 === 2).slice(0, 3);
const named = (subject, lectures) =>
  lectures.map(({ name, sentences }) => ({ subject, name: `${subject} ${name}`, text: tidy(sentences.join(' ')) }));
const committees = ['covid_2', 'education_10'].map((name) => ({
  ...{ subject: 'committee', name },
  text: readMeeting(dataFolder, name, study.splitSentences).sentences.join(' '),
}));
const lectures = {
  tuned: [...named('ai', sets['mit-ai dev']), ...named('physics', sets['mit-physics dev'])],
  unseen: [
    ...named('ai', everyFifth(sets['mit-ai ref'])),
    ...named('physics', everyFifth(sets['mit-physics ref'])),
    ...committees,
  ],
};

/** In how many of a subject's texts each stem stands. */
function spread(subject) {
  const texts = ['dev', 'ref'].flatMap((kind) => sets[`mit-${subject} ${kind}`]);
  const counts = new Map();
  for (const { sentences } of texts) {
    for (const stem of new Set(stemsOf(sentences.join(' '))))
      counts.set(stem, (counts.get(stem) ?? 0) + 1 / texts.length);
  }
  return counts;
}
const spreads = { ai: spread('ai'), physics: spread('physics') };
/** Words that at least every second lecture of another subject has. */
function isEveryday(answer, subject) {
  const others = Object.entries(spreads).filter(([name]) => name !== subject);
  return stemsOf(answer).every((stem) => others.some(([, counts]) => (counts.get(stem) ?? 0) >= 0.5));
}

const breaks =
  /\s(?:--|–|—)|\.\.\.|…|\((?:pause|inaudible|laughter)|\b(\p{L}+) \1\b|\bor something(?: like that)?\b|\bsort of\b|\bkind of like\b|\byou know\b|\bI mean\b/iu;
const announces =
  /\b(?:(?:I|we)(?:'m|'re| am| are)? (?:just )?(?:going to|gonna|want to|would like to|now would like)|(?:I|we)(?:'ll| will| shall)|let me|let's|let us|I have (?:here|two|one)|I wrote|you (?:will|can|could)? ?see)\b/iu;
const isSymbol = (word) => /\d/.test(word) || /^\p{L}$/u.test(word) || /\\/.test(word);
const reads = (text) =>
  (text.match(/(?<![\p{L}\d.])(?:\p{L}\d+|\d+|(?![aAI]\b)\p{L})(?![\p{L}\d'’])/gu) ?? []).length >= 4;

/** The words beside the blank make one name with the answer: three times at least, and half of what is said of its edge. */
function isHalfName(front, back, pairs, counts) {
  const [before = '', after = ''] = front.split('_____');
  const left = /(?:([\p{L}\d-]+) )?([\p{L}\d-]+) $/u.exec(before);
  const right = /^ ([\p{L}\d-]+)(?: ([\p{L}\d-]+))?/u.exec(after);
  const own = stemsOf(back);
  const [first, last] = [own[0], own.at(-1)];
  const bound = (a, b, joint) => {
    const count = pairs.get(`${a}${joint}${b}`) ?? 0;
    return count >= 3 && count >= 0.5 * Math.min(counts.get(a) ?? 0, counts.get(b) ?? 0);
  };
  const stem = (word) => terms.stem(word.toLowerCase());
  const isContent = (word) => word !== undefined && !terms.isStopWord(word.toLowerCase());
  if (isContent(left?.[2]) && bound(stem(left[2]), first, ' ')) return true;
  if (left?.[2] === 'of' && isContent(left[1]) && bound(stem(left[1]), first, ' of ')) return true;
  if (isContent(right?.[1]) && bound(last, stem(right[1]), ' ')) return true;
  return right?.[1] === 'of' && isContent(right[2]) && bound(last, stem(right[2]), ' of ');
}

function countPairs(texts) {
  const pairs = new Map();
  const counts = new Map();
  const add = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const text of texts) {
    const stems = stemsOf(text);
    stems.forEach((stem, at) => {
      add(counts, stem);
      if (at > 0) add(pairs, `${stems[at - 1]} ${stem}`);
      if (at > 1 && stems[at - 1] === 'of') add(pairs, `${stems[at - 2]} of ${stem}`);
    });
  }
  return { pairs, counts };
}

const hasPhrase = (texts, part) => {
  const wanted = ` ${stemsOf(part).join(' ')} `;
  return texts.filter((text) => ` ${stemsOf(text).join(' ')} `.includes(wanted)).length;
};

const tally = new Map();
function count(name, list, isDefect, show = (item) => item) {
  const own = tally.get(name) ?? { of: 0, bad: 0 };
  own.of += list.length;
  for (const item of list) {
    if (!isDefect(item)) continue;
    own.bad++;
    if (options.includes('--show')) console.log(`  ${name}: ${show(item)}`);
  }
  tally.set(name, own);
}

async function countTitles(chapters, sentences, embeddings) {
  for (const level of ['general', 'fine']) {
    const own = chapters.filter((chapter) => chapter.level === level);
    const spans = own.map(({ start, end }) =>
      sentences.flatMap((sentence, row) => (sentence.start >= start - 1e-6 && sentence.start < end ? [row] : [])),
    );
    const titles = await embed(own.map(({ title }) => title));
    const centres = spans.map((rows) => study.meanRow(embeddings, rows));
    const nearest = own.map((_, row) => {
      const likeness = centres.map((centre) => study.cosine(study.rowAt(titles, row), centre));
      return likeness.indexOf(Math.max(...likeness));
    });
    const items = own.map(({ title }, row) => ({ title, row, texts: spans[row].map((each) => sentences[each].text) }));
    const show = ({ title }) => title;
    count('title nearer to another chapter', items, ({ row }) => nearest[row] !== row, show);
    const isScrap = ({ title, texts }) =>
      texts.length > 12 && title.split(' and ').some((part) => hasPhrase(texts, part) < 2);
    count('title with what its chapter says once', items, isScrap, show);
    count('title with a symbol', items, ({ title }) => title.split(' ').some(isSymbol), show);
  }
}

let minutes = 0;
for (const [set, own] of Object.entries(lectures)) {
  if (wantedSet !== undefined && set !== wantedSet) continue;
  tally.clear();
  minutes = 0;
  for (const { subject, name, text } of own) {
    if (options.includes('--show')) console.log(`\n# ${name}`);
    const sentences = study.toTimedSentences(spoken(text));
    const texts = sentences.map((sentence) => sentence.text);
    minutes += sentences.at(-1).end / 60;
    const embeddings = await embed(texts);
    const input = { sentences, embeddings, language: 'en' };
    await countTitles(study.makeChapters(input), sentences, embeddings);
    const parts = study.lectureTopics(input).flatMap(({ label }) => label.split(', '));
    count('part of a topic label said less than three times', parts, (part) => hasPhrase(texts, part) < 3);
    count('part of a topic label with a symbol', parts, (part) => part.split(' ').some(isSymbol));
    const said = study
      .makeSummary(input)
      .statements.filter(({ length }) => length !== 'long')
      .map((each) => each.text);
    count('statement with a break', said, (each) => breaks.test(each));
    count('statement that announces', said, (each) => announces.test(each));
    count('statement that reads a formula', said, reads);
    count('statement with any of these', said, (each) => breaks.test(each) || announces.test(each) || reads(each));
    const cards = study.makeFlashcards(input);
    const { pairs, counts } = countPairs(texts);
    const clozes = cards.filter(({ type }) => type === 'cloze');
    const show = ({ front, back }) => `${front} → ${back}`;
    const tests = {
      'blank is half of a name': ({ front, back }) => isHalfName(front, back, pairs, counts),
      'blank is a symbol': ({ back }) => back.split(' ').some(isSymbol),
      'blank is an everyday word': ({ back }) => isEveryday(back, subject),
      'blank in what announces, breaks or reads a formula': ({ front }) =>
        announces.test(front) || breaks.test(front) || reads(front.replace('_____', '')),
    };
    for (const [label, test] of Object.entries(tests)) count(label, clozes, test, show);
    count('blank with any of these', clozes, (card) => Object.values(tests).some((test) => test(card)));
    count('cards, of which definitions and questions', cards, ({ type }) => type !== 'cloze', show);
  }
  console.log(`\n${set}: ${own.length} texts, ${minutes.toFixed(0)} minutes`);
  for (const [name, { of, bad }] of tally) {
    console.log(`  ${name.padEnd(52)} ${bad} of ${of} (${((100 * bad) / Math.max(1, of)).toFixed(0)} %)`);
  }
}
