/**
 * What a student sees of a text: node bench/study/sample.mjs FILE.txt [language]
 * The text is spoken at 2.6 words a second; a .json file is read as a transcript (the contract's form).
 */
import { readFileSync } from 'node:fs';
import { createEmbedder } from './embed.mjs';
import { loadStudy } from './load-study.mjs';

const [file, language = 'en'] = process.argv.slice(2);
if (file === undefined) throw new Error('give a text or a transcript');
const study = await loadStudy([
  'sentences',
  'chapters',
  'chapter-formats',
  'topics',
  'summary',
  'flashcards',
  'flashcard-formats',
  'quiz',
]);
const { embed } = createEmbedder();

function spoken(text) {
  let at = 0;
  const words = text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      const start = at;
      at += 1 / 2.6 + (/[.!?]$/.test(word) ? 0.5 : 0);
      return { word, start, end: start + 0.3, probability: 0.95 };
    });
  return { language, text, segments: [{ id: 0, start: 0, end: at, text, confidence: 0.95, flags: [], words }] };
}

const source = readFileSync(file, 'utf8');
const transcript = file.endsWith('.json') ? JSON.parse(source) : spoken(source);
const sentences = study.toTimedSentences(transcript);
const embeddings = await embed(sentences.map((sentence) => sentence.text));
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
function timed(name, make) {
  const started = performance.now();
  const made = make();
  console.log(`\n## ${name} (${(performance.now() - started).toFixed(0)} ms)`);
  return made;
}

console.log(`${sentences.length} sentences, ${clock(sentences.at(-1).end)}`);
const chapters = timed('chapters', () => study.makeChapters({ sentences, embeddings, language }));
for (const chapter of chapters) console.log(`${chapter.level.padEnd(8)} ${clock(chapter.start)} ${chapter.title}`);
console.log(study.toYoutubeChapters(chapters.filter(({ level }) => level === 'general')));
for (const topic of timed('topics', () => study.lectureTopics({ sentences, embeddings, language }))) {
  const spans = topic.spans.map(({ start, end }) => `${clock(start)}-${clock(end)}`).join(' ');
  console.log(`${topic.size}: ${topic.label} | ${topic.terms.map(({ term }) => term).join(', ')} | ${spans}`);
}
const summary = timed('summary', () => study.makeSummary({ sentences, embeddings, language }));
for (const { length, start, text } of summary.statements) console.log(`${length.padEnd(6)} [${clock(start)}] ${text}`);
for (const term of summary.keyTerms) console.log(`  ${term.term}: ${term.definition} [${clock(term.start)}]`);
const cards = timed('flashcards', () => study.makeFlashcards({ sentences, embeddings, language }));
for (const card of cards) console.log(`[${clock(card.start)}] ${card.type}\n   ${card.front}\n   → ${card.back}`);
for (const { question, choices, answer, start } of timed('quiz', () => study.toQuiz(cards))) {
  console.log(`[${clock(start)}] ${question}`);
  choices.forEach((choice, place) => {
    console.log(`   ${place === answer ? '→' : ' '} ${choice}`);
  });
}
