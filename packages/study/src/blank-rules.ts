import { clozeBlank } from './flashcard-formats.ts';
import type { NounGuess, Phrase } from './key-phrases.ts';
import type { Terms, TextWord } from './text-terms.ts';
import { findWords, isContentWord } from './text-terms.ts';

/** No name, and said once, or as one word fewer than four times: in an hour that is chance. */
export function isHardlySaid({ text, wordCount, sentences }: Phrase): boolean {
  return !/\p{Lu}/u.test(text) && sentences.length < (wordCount === 1 ? 4 : 2);
}

/** Another noun stands right beside the blank ("this tennis _____", "_____ ball"), or it is half of "center of mass". */
export function isInLongerName(params: {
  front: string;
  phrase: Phrase;
  keys: ReadonlySet<string>;
  terms: Terms;
  nouns: NounGuess;
}): boolean {
  const { front, phrase, keys, terms, nouns } = params;
  const [before = '', after = ''] = front.split(clozeBlank);
  const left = / $/u.test(before) ? findWords(before).slice(-2) : [];
  const right = /^ [\p{L}\p{N}]/u.test(after) ? findWords(after).slice(0, 2) : [];
  const [beside, next] = [left.at(-1), right[0]];
  const adjoins = (word: TextWord | undefined, text: string): boolean =>
    word !== undefined && !/[,;:.)]\s*$/u.test(text);
  const isNoun = ({ lower }: TextWord): boolean =>
    isContentWord(lower) && !terms.isStopWord(lower) && nouns.isNominal(lower) && nouns.isNoun(lower);
  if (beside && adjoins(beside, before) && isNoun(beside)) return true;
  if (next && isNoun(next)) return true;
  const linked = (head: TextWord | undefined, of: TextWord | undefined, toKey: (stem: string) => string): boolean =>
    head !== undefined && of?.lower === 'of' && keys.has(toKey(terms.stem(head.lower)));
  if (linked(left[0], left[1], (stem) => `${stem} of ${phrase.key}`)) return true;
  return linked(right[1], right[0], (stem) => `${phrase.key} of ${stem}`);
}

const pointer =
  /(?:^|\s)(?:\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|twenty|hundred|thousand|million|first|second|third|next|last|other|another|same|such|this|that|these|those|each|every|any|some|most|certain|many|several|my|your|our|his|her|their|its)\s*$/iu;
const nameBefore = /[\p{L}\p{N},;:)”"]\s+(?:\p{Lu}[\p{L}.'’-]*(?: of| von| van| de)?)\s*$/u;

/**
 * The words beside the blank give it away or do not say which is meant: the other half of a name ("Gutenberg _____"),
 * of a pair ("_____ and crafts"), a possessive, "the first _____", "ten _____".
 */
export function isGuessable(front: string): boolean {
  const [before = '', after = ''] = front.split(clozeBlank);
  // Inside of quotation marks: of a title, or of what was said.
  if ((before.match(/["“”]/gu) ?? []).length % 2 === 1) return true;
  if (/^['’-]/u.test(after) || /[-–]$/u.test(before) || pointer.test(before) || nameBefore.test(before)) return true;
  return /^ (?:(?:of|von|van|de) )?\p{Lu}\p{Ll}/u.test(after) || /^ (?:and|or) (?!\p{L}+ed\b)\p{L}/u.test(after);
}

/** "In the Exhibition": named once, as something that everybody knew. */
export function isAside(front: string, phrase: Phrase): boolean {
  const [before = ''] = front.split(clozeBlank);
  return phrase.wordCount === 1 && phrase.sentences.length === 1 && /(?:^|\s)the\s*$/iu.test(before);
}

const subjectBefore =
  /(?:^|\s)(?:i|you|we|they|he|she|it|to|can|could|will|would|shall|should|may|might|must|do|does|did|not|n['’]t|['’]ll|['’]d)\s*$/iu;
const beBefore = /(?:^|\s|['’])(?:is|are|was|were|be|been|being|am|'?s|'?re|'?m)\s*$/iu;

/** What stands in the place of a verb is no term, whatever the word list says: "they _____ on a line", "is _____ on you". */
export function isVerb({ front, answer }: { front: string; answer: string }): boolean {
  const [before = ''] = front.split(clozeBlank);
  return subjectBefore.test(before) || (beBefore.test(before) && /^\p{Ll}+(?:ing|ed)(?:\s|$)/u.test(answer));
}
