import { splitSentences } from '../sentences.ts';

/** A sentence that a language model has written, and the numbers of the sources that it names for it. */
export interface CitedSentence {
  text: string;
  cited: readonly number[];
}

export interface CitedTextReader {
  /** @returns the sentences that are whole by now */
  push(piece: string): CitedSentence[];
  /** @returns the last ones */
  end(): CitedSentence[];
}

/**
 * `[1]`, `[1, 2]`, `[passage 3]`, `[[4]]`, several side by side, and the mark that may follow. No bracket stands in a bracket,
 * so there is one way to read each: with two, twenty in a row would take minutes.
 */
const citation = String.raw`[[【]{1,2}(?=[^\d[\]【】\n]{0,12}\d)[^[\]【】\n]{1,35}[\]】]{1,2}`;
const citations = new RegExp(String.raw`(\s*(?:${citation}\s*)+)([.!?…。！？]?)(?=\s*[^\s[\]【】.!?…。！？])`, 'u');
const lastCitations = new RegExp(String.raw`(\s*(?:${citation}\s*)+)([.!?…。！？]?)\s*$`, 'u');
/** What ends so has nothing new to give, and a run of citations is not to be read again with each of its signs. */
const endsInCitation = /[[【][^[\]【】]*[\]】]{0,2}\s*$/u;
/** Bullets, numbers and headings before a sentence, and emphasis in it. */
const leadingMarks = /^(?:[\s>#*•–-]+|\d{1,2}[.)]\s+)+/u;
const emphasis = /\*{1,3}|_{2,3}|`+/gu;
/** Without a citation for so long, it is no text with citations. */
const maxUncited = 2_000;

/** Between these some models think aloud. */
const thoughtStart = '<think>';
const thoughtEnd = '</think>';

/**
 * Reads a text with citations as it comes, without what the model thinks aloud. A citation counts for all that stands before it, back to the last one or the
 * beginning of the line; what no citation follows on its line is left out.
 */
export function createCitedTextReader(): CitedTextReader {
  let rest = '';
  let isThought = false;
  const readLine = (line: string): CitedSentence[] => {
    const found: CitedSentence[] = [];
    let left = line;
    for (let match = citations.exec(left); match; match = citations.exec(left)) {
      found.push(...toSentences(left.slice(0, match.index), match));
      left = left.slice(match.index + match[0].length);
    }
    rest = left;
    return found;
  };
  const endLine = (line: string): CitedSentence[] => {
    const found = readLine(line);
    const match = lastCitations.exec(rest);
    if (match) found.push(...toSentences(rest.slice(0, match.index), match));
    rest = '';
    return found;
  };
  const readSaid = (text: string): CitedSentence[] => {
    const lines = text.replace(/[^\S\n]+/gu, ' ').split('\n');
    const open = lines.pop() ?? '';
    const found = lines.flatMap(endLine);
    if (open.length <= maxUncited && endsInCitation.test(open)) rest = open;
    else found.push(...readLine(open));
    if (rest.length > maxUncited) rest = '';
    return found;
  };
  return {
    push(piece) {
      const found: CitedSentence[] = [];
      let text = rest + piece;
      for (;;) {
        const border = isThought ? thoughtEnd : thoughtStart;
        const at = text.indexOf(border);
        if (at < 0) break;
        if (!isThought) found.push(...readSaid(`${text.slice(0, at)}\n`));
        rest = '';
        text = text.slice(at + border.length);
        isThought = !isThought;
      }
      // The border itself may come in two pieces.
      if (isThought) rest = text.slice(1 - thoughtEnd.length);
      else found.push(...readSaid(text));
      return found;
    },
    end: () => (isThought ? [] : endLine(rest)),
  };
}

function toSentences(before: string, [, marks = '', ending = '']: RegExpExecArray): CitedSentence[] {
  const cited = [...new Set(marks.match(/\d{1,6}/g)?.map(Number))];
  const text = `${before.replace(emphasis, '').replace(leadingMarks, '').trimEnd()}${ending}`;
  return splitSentences(text)
    .filter((sentence) => /\p{L}/u.test(sentence))
    .map((sentence) => ({ text: sentence, cited }));
}
