import type { Flashcard } from '@studymate/contracts/study';

/** What stands in the front of a cloze card for the hidden words. */
export const clozeBlank = '_____';

/** Anki takes a field in double quotes when it holds a quote, a tab or a line end; quotes are doubled. */
function ankiField(text: string): string {
  const clean = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  return /["\t\n]|^#/.test(clean) ? `"${clean.replaceAll('"', '""')}"` : clean;
}

/** The cloze sentence with Anki's mark around the answer. */
export function toClozeText(card: Flashcard): string {
  return card.front.replace(clozeBlank, () => `{{c1::${card.back}}}`);
}

/**
 * A text file for Anki's import (2.1.54 and later read the header lines): front, back and tags. Cloze cards keep the
 * blank in front, so that one note type takes them all; `toClozeText` gives the cloze form.
 */
export function toAnkiTsv(cards: readonly Flashcard[]): string {
  const header = ['#separator:tab', '#html:false', '#columns:Front\tBack\tTags', '#tags column:3'];
  const rows = cards.map((card) => [card.front, card.back, `studymate ${card.type}`].map(ankiField).join('\t'));
  return `${[...header, ...rows].join('\n')}\n`;
}

/** RFC 4180. A field that a spreadsheet would take for a formula gets an apostrophe in front. */
function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** `id,type,front,back,start`; `start` in seconds; lines end in CRLF. */
export function toCsv(cards: readonly Flashcard[]): string {
  const rows = cards.map((card) =>
    [card.id, card.type, card.front, card.back, String(card.start)].map(csvField).join(','),
  );
  return `${['id,type,front,back,start', ...rows].join('\r\n')}\r\n`;
}
