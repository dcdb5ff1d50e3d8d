import { upperFirst } from './key-phrases.ts';
import { findWords } from './text-terms.ts';

/**
 * What is tidied when a sentence is shown by itself: openers and hesitations that carry nothing, the capital and the
 * end mark. Nothing is added, reordered or reworded: the words left stand in the transcript in the same order.
 */
const opener =
  /^(?:(?:and|so(?! (?:far|long|much|many|few|that|called)\b)|but|now|okay|ok|well|um+|uh+|er+|ah|oh|yeah|yes|right|alright|all right|you know|i mean|then|alors|euh|donc|also|ja|äh|ähm|pues|bueno|يعني|طيب)(?:\s*[,;:–—-]\s*|\s+(?=\S)))+/iu;
const hesitation = /(?<=^|[\s,])(?:um+|uh+|er+m?|hmm+|euh|äh|ähm)(?:[,.]?)(?=\s|$)/giu;

export function tidyStatement(text: string): string {
  const trimmed = text
    .replace(hesitation, '')
    .replace(/\s+/gu, ' ')
    .replace(/\s+([,.;:!?])/gu, '$1')
    .replace(/^[\s,;:.…–—-]+/u, '')
    .trim();
  // "So" in "So long as …" and "Then Gutenberg …" are safe to drop only when a clause is left.
  const opened = trimmed.replace(opener, '');
  const body = findWords(opened).length >= 4 ? opened : trimmed;
  const ended = body.replace(/[\s,;:–—-]+$/u, '');
  return upperFirst(/[.!?…。！？؟।]["'”’)»]*$/u.test(ended) || ended === '' ? ended : `${ended}${stopFor(ended)}`);
}

function stopFor(text: string): string {
  if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]$/u.test(text)) return '。';
  return /[\p{Script=Thai}]$/u.test(text) ? '' : '.';
}

const dangling =
  /^(?:(?:and|so|but|now|well|because|then|or)[\s,]+)*(?:this|that|these|those|it|he|she|they|such|here|there it|which|who|whose|its|his|her|their|him|them|the (?:former|latter|same|other|above|aforesaid)|both|another|also|otherwise|however|therefore|thus|hence|instead|as such|in (?:this|that|these|those) (?:case|way|sense|kind)|at that time|cela|ceci|il|elle|ils|elles|dies(?:e[rs]?)?|er|sie|es|esto|eso|ello)\b/iu;
/** Talk about the lecture and not about its matter. */
const housekeeping =
  /\b(?:homework|problem set|next (?:time|lecture|week)|last (?:time|lecture|week)|office hours|thank you|thanks for|welcome (?:back|to)|subscribe|any questions|see you|good (?:morning|afternoon|evening)|handout|the exam|syllabus|librivox|recording|public domain|can you hear|my name is)\b/iu;
/** What speaks to the listener instead of stating something. */
const commentary =
  /^(?:(?:and|so|but|now|well|okay)[\s,]+)*(?:let(?:'s|’s| us| me)|notice|remember|look|suppose|imagine|be careful|think of|there (?:is|are|must be|'s)|we (?:have|know|will|would|could|can)|you (?:have|see|will|would|could|can|may)|i (?:have|want|will|would|think|mean))\b/iu;
/** What a speaker begins and leaves, mends or waves away; a recogniser writes it so. */
const broken =
  /(?:^|\s)--?\s|\.\.\.|…|\((?:pause|inaudible|laughter|applause)|\b(\p{L}{2,}|[ai]) \1\b|\b(?:or something(?: like that)?|and so on and so forth|or whatever|you know|i mean|kind of like)\b|\b(?:and|or|but|the|an?|of|because)[.,]?$/iu;
/** What the speaker is about to do or has just done, and what the room sees. */
const announcement =
  /\b(?:i|we)(?:['’](?:m|re)| am| are)? (?:\p{L}+ly |just |now |also )*(?:going to|gonna|want to|would like to|have here|wrote|write|drew|draw|put|did)\b|\b(?:i|we)(?:['’]ll| will| shall| could| can) (?:\p{L}+ly |just |now |also )*(?:do|see|talk|look|show|give|come|go|use|start|try|write|call|get|have|need|return|switch|be|ask|make|put)\b|\b(?:let['’]?s|let us|let me|as you (?:can )?see|you (?:will |can |could )?(?:now )?see)\b/iu;
/** Points into the room or at what was said before. */
const deictic =
  /\b(?:over|up|down|right|in|out) (?:here|there)\b|\b(?:here|there)[.,;!]|\blike this\b|\bthis (?:one|thing|guy)\b/iu;
const formulaSign =
  /(?<![\p{L}\p{N}.])(?:\p{L}\d+|\d+|(?![aAI]\b)\p{L}|equals?|minus|plus|squared|cubed|divided by|prime)(?![\p{L}\p{N}'’])/giu;
/** A formula that is read out is understood on the board and nowhere else. */
const mostFormulaSigns = 3;

function readsFormula(text: string): boolean {
  return (text.match(formulaSign) ?? []).length > mostFormulaSigns;
}

/**
 * Broken off or mended, about what is done next, at the board, or a formula that is read out: to whoever was there it says
 * something, but nobody can be asked for a word of it later.
 */
export function isOfTheMoment(text: string): boolean {
  return broken.test(text) || announcement.test(text) || deictic.test(text) || readsFormula(text);
}

const question = /[?？؟]["'”’)]*$/u;

/**
 * How well a sentence stands by itself, 0 (not at all) to 1: not a question, not flagged or uncertain, no dangling
 * "this", neither a fragment nor endless, not about the organisation of the course.
 */
export function selfContainment(sentence: { text: string; confidence?: number; flagged?: boolean }): number {
  const { text } = sentence;
  const count = findWords(text).length;
  if (count < 4 || question.test(text) || sentence.flagged === true) return 0;
  let score = 1;
  if (dangling.test(text)) score *= 0.45;
  if (housekeeping.test(text)) score *= 0.2;
  if (/\b(?:i|i'm|i'll|me|my|you|you're|your)\b/iu.test(text)) score *= 0.7;
  if (commentary.test(text)) score *= 0.5;
  if (count < 10) score *= count / 12;
  if (count > 45) score *= 45 / count;
  if (!/[.!…。！।]["'”’)]*$/u.test(text)) score *= 0.8;
  // Below about .6 one word in several is likely to be wrong.
  const confidence = sentence.confidence ?? 1;
  if (confidence < 0.6) score *= 0.3;
  else if (confidence < 0.8) score *= 0.8;
  return score;
}
