import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toPromptTerms } from '../src/openai/prompt-terms.ts';

test.each([
  [
    'a list of names',
    'ZyntriQix, Digique Plus, CynapseFive, B.R.I.C.K.',
    ['B.R.I.C.K', 'CynapseFive', 'Digique Plus', 'ZyntriQix'],
  ],
  [
    'a list in a sentence',
    'Glossary: Wynkyn de Worde, "Subiaco" and C++.',
    ['C++', 'Glossary', 'Subiaco', 'Wynkyn de Worde'],
  ],
  [
    'names in a sentence',
    'The transcript is about OpenAI which makes technology like DALL·E with the hope of one day',
    ['DALL·E', 'OpenAI'],
  ],
  ['ordinary text', 'Umm, let me think like, hmm... okay, here is what I am, like, thinking.', ['Umm']],
  ['all in capitals', 'THIS IS A PROMPT THAT SHOUTS THE WHOLE TIME', []],
  ['another script', 'خلف، إلغاء', ['إلغاء', 'خلف']],
  ['nothing', ' ,, . ', []],
])('%s', (_, prompt, terms) => {
  expect(toPromptTerms(prompt)).toEqual(terms);
});

test('any prompt at all: gives terms that a glossary may have', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (prompt) => {
      expect(toPromptTerms(prompt).length).toBeLessThanOrEqual(100);
    }),
  );
  expect(toPromptTerms(Array.from({ length: 900 }, (_, i) => `N${i}`).join(','))).toHaveLength(100);
});
