import type { StageName } from '@studymate/contracts/stages';
import type { Chapter, Flashcard, Summary } from '@studymate/contracts/study';
import type { Segment } from '@studymate/contracts/transcript';
import type { Messages } from './en.ts';
import { toClock } from './format.ts';
import { findAt } from './transcript-text.ts';

export interface Notes {
  title: string;
  /** Below the title: length, language, day. */
  meta: string;
  /** What is not made is left out. */
  summary: Summary | null;
  /** Of one level. */
  chapters: readonly Chapter[];
  cards: readonly Flashcard[];
  segments: readonly Segment[];
  /** What was made of an earlier version of the text. */
  stale: ReadonlySet<StageName>;
}

const paragraphSeconds = 45;
const maxParagraphSeconds = 120;

/** Everything that one would print, as Markdown (https://spec.commonmark.org): what was said stands in its chapters. */
export function toMarkdown(notes: Notes, m: Messages): string {
  const { title, meta, summary, chapters, cards, segments, stale } = notes;
  const blocks = [`# ${toPlain(title)}`, toPlain(meta)];
  const noteStale = (stage: StageName, what = '') => {
    if (stale.has(stage)) blocks.push(`*${what}${m.parts.stale}*`);
  };
  if (summary !== null && summary.statements.length > 0) {
    const lines = summary.statements.map(({ text, start }) => `- ${toPlain(text)} (${toClock(start)})`);
    blocks.push(`## ${m.stages.summary}`);
    noteStale('summary');
    blocks.push(lines.join('\n'));
  }
  if (summary !== null && summary.keyTerms.length > 0) {
    const lines = summary.keyTerms.map(({ term, definition }) => `- **${toPlain(term)}**: ${toPlain(definition)}`);
    blocks.push(`## ${m.summary.keyTerms}`);
    noteStale('summary');
    blocks.push(lines.join('\n'));
  }
  if (segments.length > 0) blocks.push(`## ${m.transcript.title}`);
  if (chapters.length > 0) noteStale('chapters', `${m.stages.chapters}: `);
  for (const [index, spoken] of groupByChapter(segments, chapters)) {
    const chapter = chapters[index];
    if (chapter !== undefined) blocks.push(`### ${toPlain(chapter.title)} (${toClock(chapter.start)})`);
    for (const { start, text } of toParagraphs(spoken)) blocks.push(`(${toClock(start)}) ${toPlain(text)}`);
  }
  if (cards.length > 0) {
    const lines = cards.map(({ front, back }) => `- ${toPlain(front)}\n  - ${toPlain(back)}`);
    blocks.push(`## ${m.stages.flashcards}`);
    noteStale('flashcards');
    blocks.push(lines.join('\n'));
  }
  return `${blocks.join('\n\n')}\n`;
}

type Spoken = Pick<Segment, 'start' | 'text'>;

function groupByChapter(segments: readonly Spoken[], chapters: readonly Chapter[]): Map<number, Spoken[]> {
  const groups = new Map<number, Spoken[]>();
  for (const segment of segments) {
    // Somebody has taken it out.
    if (segment.text === '') continue;
    const index = findAt(chapters, segment.start);
    const group = groups.get(index);
    if (group === undefined) groups.set(index, [segment]);
    else group.push(segment);
  }
  return groups;
}

/** About a minute each, and never in the middle of a sentence unless nobody ends one. */
function toParagraphs(segments: readonly Spoken[]): Spoken[] {
  const paragraphs: { start: number; text: string }[] = [];
  let isSentence = true;
  for (const { start, text } of segments) {
    const last = paragraphs.at(-1);
    const age = last === undefined ? Number.POSITIVE_INFINITY : start - last.start;
    if (last === undefined || age > maxParagraphSeconds || (isSentence && age > paragraphSeconds)) {
      paragraphs.push({ start, text: text.trim() });
    } else last.text += ` ${text.trim()}`;
    isSentence = /[.!?…。！？؟।]["'”’)»]*$/u.test(text.trim());
  }
  return paragraphs;
}

/** A text that means nothing but itself, on one line. */
function toPlain(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .replace(/[\\`*_{}[\]<>#|~]/g, '\\$&')
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/^([-+])/, '\\$1');
}
