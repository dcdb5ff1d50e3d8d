import { maxTermCharacters, toGlossary } from '@studymate/contracts/glossary';

const maxTerms = 100;
/** What is longer between two commas is a sentence, not a name. */
const maxWords = 4;
const hasTwo = /[\p{L}\p{N}].*[\p{L}\p{N}+#]/u;
/** A capital or a digit, or a letter of a script that has no capitals. */
const looksLikeName = /[\p{Lu}\p{Lt}\p{Lo}\p{N}]/u;

/**
 * The names and terms in a prompt for OpenAI's audio routes, which programs write to have them spelt right: what stands
 * between commas, and in sentences the words with capitals other than the first.
 * @returns at most 100, none for a prompt that is all ordinary text
 */
export function toPromptTerms(prompt: string): string[] {
  const terms = prompt
    .split(/[,;:\n\r、，；،؛|]|[.!?。！？]+(?=\s|$)|\s(?:and|or)\s/iu)
    .map((piece) => trimEdges(piece).replace(/^(?:and|or)\s+/i, ''))
    .flatMap((piece) => {
      const words = piece.split(/\s+/u);
      return words.length <= maxWords ? [piece] : namesWithin(words);
    })
    .filter((term) => looksLikeName.test(term) && hasTwo.test(term) && [...term].length <= maxTermCharacters)
    .filter((term) => !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(term));
  return toGlossary([...new Set(terms)].slice(0, maxTerms));
}

/** Runs of words with capitals. The first word of a sentence has one anyway, unless it has another further in. */
function namesWithin(words: readonly string[]): string[] {
  const isName = words.map((word, i) => /\p{Lu}/u.test(i === 0 ? word.slice(1) : word));
  // Text in capitals throughout names nothing.
  if (isName.filter(Boolean).length * 2 > words.length) return [];
  const names: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const from = i;
    while (isName[i]) i++;
    if (i > from && i - from <= maxWords) names.push(trimEdges(words.slice(from, i).join(' ')));
  }
  return names;
}

/** Quotes and brackets round a term are not part of it. */
function trimEdges(text: string): string {
  return text.replace(/^[^\p{L}\p{N}]+/u, '').replace(/[^\p{L}\p{M}\p{N}+#]+$/u, '');
}
