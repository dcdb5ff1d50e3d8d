/**
 * Makes src/english-lexicon.ts: the English words that a key phrase cannot end with, taken from the part-of-speech
 * lexicon of `natural` (MIT, from the Penn treebank tags of pos-js). Only what the endings do not already tell is
 * kept, so that 4 MB of JSON become about 70 kB. Run from the root: node packages/study/scripts/make-english-lexicon.mjs
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const lexicon = createRequire(import.meta.url)(
  'natural/lib/natural/brill_pos_tagger/data/English/lexicon_from_posjs.json',
);
const kinds = {
  verb: /^(VB|VBD|VBZ|VBP|MD)$/,
  adverb: /^(RB|RBR|RBS|IN|UH|WRB|CC|DT|PRP|WP)$/,
  adjective: /^(JJ|JJR|JJS)$/,
};
// The endings that src/english-lexicon-rules in text-terms.ts reads by itself.
const regular = {
  verb: /ed$/,
  adverb: /ly$/,
  adjective: /(ous|ful|ive|able|ible|less|ish|ical|ly|ed)$/,
};
const lists = { verb: [], adverb: [], adjective: [] };
for (const [word, tags] of Object.entries(lexicon)) {
  if (!Array.isArray(tags) || !/^[a-z]{3,14}$/.test(word)) continue;
  for (const [kind, pattern] of Object.entries(kinds)) {
    // An adjective or verb that is as often a noun stays out: only the first, most frequent tag counts.
    if (pattern.test(tags[0]) && !regular[kind].test(word)) lists[kind].push(word);
  }
}
const nouns = Object.entries(lexicon)
  .filter(
    ([word, tags]) =>
      Array.isArray(tags) &&
      /^[a-z]{4,14}(ous|ful|ive|able|ible|less|ish|ical|ed|ly)$/.test(word) &&
      /^NN/.test(tags[0]),
  )
  .map(([word]) => word);
const text = `/** Made by scripts/make-english-lexicon.mjs from the lexicon of natural (MIT); do not edit. */
export const englishVerbs =
  '${lists.verb.sort().join(' ')}';
export const englishAdverbs =
  '${lists.adverb.sort().join(' ')}';
export const englishAdjectives =
  '${lists.adjective.sort().join(' ')}';
/** Nouns in spite of an ending that says otherwise. */
export const englishNounsByException =
  '${nouns.sort().join(' ')}';
`;
writeFileSync(new URL('../src/english-lexicon.ts', import.meta.url), text);
