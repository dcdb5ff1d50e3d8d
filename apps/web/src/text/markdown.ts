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
}

/** Everything that one would print, as Markdown (https://spec.commonmark.org): what was said stands in its chapters. */
export function toMarkdown(notes: Notes, m: Messages): string {
  const { title, meta, summary, chapters, cards, segments } = notes;
  const blocks = [`# ${toPlain(title)}`, toPlain(meta)];
  if (summary !== null && summary.statements.length > 0) {
    const lines = summary.statements.map(({ text, start }) => `- ${toPlain(text)} (${toClock(start)})`);
    blocks.push(`## ${m.stages.summary}`, lines.join('\n'));
  }
  if (summary !== null && summary.keyTerms.length > 0) {
    const lines = summary.keyTerms.map(({ term, definition }) => `- **${toPlain(term)}**: ${toPlain(definition)}`);
    blocks.push(`## ${m.summary.keyTerms}`, lines.join('\n'));
  }
  if (segments.length > 0) blocks.push(`## ${m.transcript.title}`);
  for (const [index, texts] of groupByChapter(segments, chapters)) {
    const chapter = chapters[index];
    if (chapter !== undefined) blocks.push(`### ${toPlain(chapter.title)} (${toClock(chapter.start)})`);
    blocks.push(toPlain(texts.join(' ')));
  }
  if (cards.length > 0) {
    const lines = cards.map(({ front, back }) => `- ${toPlain(front)}\n  - ${toPlain(back)}`);
    blocks.push(`## ${m.stages.flashcards}`, lines.join('\n'));
  }
  return `${blocks.join('\n\n')}\n`;
}

function groupByChapter(segments: readonly Segment[], chapters: readonly Chapter[]): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const { start, text } of segments) {
    // Somebody has taken it out.
    if (text === '') continue;
    const index = findAt(chapters, start);
    groups.set(index, [...(groups.get(index) ?? []), text.trim()]);
  }
  return groups;
}

/** A text that means nothing but itself, on one line. */
function toPlain(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .replace(/[\\`*_{}[\]<>#|~]/g, '\\$&')
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/^([-+])/, '\\$1');
}
