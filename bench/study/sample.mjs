/**
 * What a student sees of a text: node bench/study/sample.mjs FILE.txt [language]
 * The text is spoken at 2.6 words a second; a .json file is read as a transcript (the contract's form).
 */
import { readFileSync } from 'node:fs';
import { spoken } from './data.mjs';
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

const source = readFileSync(file, 'utf8');
const transcript = file.endsWith('.json') ? JSON.parse(source) : spoken(source, language);
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
