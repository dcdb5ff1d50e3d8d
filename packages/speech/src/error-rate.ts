import { normaliseNumbers } from './number-words.ts';

/** Errors of a transcript against what was said. */
export interface ErrorCount {
  substitutions: number;
  deletions: number;
  insertions: number;
  /** Words of the reference. */
  referenceWords: number;
}

/** Fewest substitutions, deletions and insertions that make `hypothesis` of `reference` (Levenshtein over words). */
export function countWordErrors(reference: readonly string[], hypothesis: readonly string[]): ErrorCount {
  const width = hypothesis.length + 1;
  // Costs by row; per cell the counts of its best path, so that no table has to be walked back.
  let above = Array.from({ length: width }, (_, j) => ({ substitutions: 0, deletions: 0, insertions: j }));
  const cost = (cell: { substitutions: number; deletions: number; insertions: number }): number =>
    cell.substitutions + cell.deletions + cell.insertions;
  for (const word of reference) {
    const first = above[0] as (typeof above)[number];
    const current = [{ ...first, deletions: first.deletions + 1 }];
    for (let j = 1; j < width; j++) {
      const diagonal = above[j - 1] as (typeof above)[number];
      if (word === hypothesis[j - 1]) {
        current.push(diagonal);
        continue;
      }
      const up = above[j] as (typeof above)[number];
      const left = current[j - 1] as (typeof above)[number];
      const least = Math.min(cost(diagonal), cost(up), cost(left));
      if (cost(diagonal) === least) current.push({ ...diagonal, substitutions: diagonal.substitutions + 1 });
      else if (cost(up) === least) current.push({ ...up, deletions: up.deletions + 1 });
      else current.push({ ...left, insertions: left.insertions + 1 });
    }
    above = current;
  }
  return { ...(above[width - 1] as (typeof above)[number]), referenceWords: reference.length };
}

/** Errors for each word that was said; 0 when nothing was said and nothing was written. */
export function wordErrorRate(count: ErrorCount): number {
  const errors = count.substitutions + count.deletions + count.insertions;
  if (count.referenceWords === 0) return errors === 0 ? 0 : 1;
  return errors / count.referenceWords;
}

// openai/whisper, normalizers/english.py
const contractions: readonly (readonly [RegExp, string])[] = [
  [/\bwon't\b/g, 'will not'],
  [/\bcan't\b/g, 'can not'],
  [/\blet's\b/g, 'let us'],
  [/\bain't\b/g, 'aint'],
  [/\by'all\b/g, 'you all'],
  [/\bwanna\b/g, 'want to'],
  [/\bgotta\b/g, 'got to'],
  [/\bgonna\b/g, 'going to'],
  [/\bi'ma\b/g, 'i am going to'],
  [/\bimma\b/g, 'i am going to'],
  [/\bwoulda\b/g, 'would have'],
  [/\bcoulda\b/g, 'could have'],
  [/\bshoulda\b/g, 'should have'],
  [/\bma'am\b/g, 'madam'],
  [/\bmr\b/g, 'mister '],
  [/\bmrs\b/g, 'missus '],
  [/\bst\b/g, 'saint '],
  [/\bdr\b/g, 'doctor '],
  [/\bprof\b/g, 'professor '],
  [/\bcapt\b/g, 'captain '],
  [/\bgov\b/g, 'governor '],
  [/\bgen\b/g, 'general '],
  [/\bsen\b/g, 'senator '],
  [/\brep\b/g, 'representative '],
  [/\bpres\b/g, 'president '],
  [/\brev\b/g, 'reverend '],
  [/\bhon\b/g, 'honorable '],
  [/\basst\b/g, 'assistant '],
  [/\bassoc\b/g, 'associate '],
  [/\blt\b/g, 'lieutenant '],
  [/\bcol\b/g, 'colonel '],
  [/\bjr\b/g, 'junior '],
  [/\bsr\b/g, 'senior '],
  [/\besq\b/g, 'esquire '],
  [/'d been\b/g, ' had been'],
  [/'s been\b/g, ' has been'],
  [/'d gone\b/g, ' had gone'],
  [/'s gone\b/g, ' has gone'],
  [/'d done\b/g, ' had done'],
  [/'s got\b/g, ' has got'],
  [/n't\b/g, ' not'],
  [/'re\b/g, ' are'],
  [/'s\b/g, ' is'],
  [/'d\b/g, ' would'],
  [/'ll\b/g, ' will'],
  [/'t\b/g, ' not'],
  [/'ve\b/g, ' have'],
  [/'m\b/g, ' am'],
];

/**
 * Words of an English text as Whisper's English normaliser compares them: lower case, without brackets, fillers,
 * accents and punctuation, contractions written out, numbers in digits. Left out of the original: its list of 1,700
 * British spellings, and sums of money in cents.
 */
export function normaliseEnglish(text: string): string[] {
  let plain = text
    .toLowerCase()
    .replace(/[<[][^>\]]*[>\]]/g, '')
    .replace(/\(([^)]+?)\)/g, '')
    .replace(/[’‘]/g, "'")
    .replace(/\b(hmm|mm|mhm|mmm|uh|um)\b/g, '')
    .replace(/\s+'/g, "'");
  for (const [pattern, replacement] of contractions) plain = plain.replace(pattern, replacement);
  plain = plain
    .replace(/(\d),(\d)/g, '$1$2')
    .replace(/\.([^0-9]|$)/g, ' $1')
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .replace(/[^\p{L}\p{N}\s.%$¢€£]/gu, ' ');
  const words = normaliseNumbers(plain.split(/\s+/).filter((word) => word !== ''));
  return words
    .join(' ')
    .replace(/[.$¢€£]([^0-9]|$)/g, ' $1')
    .replace(/([^0-9])%/g, '$1 ')
    .split(/\s+/)
    .filter((word) => word !== '');
}

/** Words of a text in any other language (openai/whisper, normalizers/basic.py); by character where there are no spaces. */
export function normaliseBasic(text: string, options: { byCharacter?: boolean } = {}): string[] {
  const plain = text
    .toLowerCase()
    .replace(/[<[][^>\]]*[>\]]/g, '')
    .replace(/\(([^)]+?)\)/g, '')
    .normalize('NFKC')
    .replace(/[\p{M}\p{S}\p{P}]/gu, ' ');
  const words = plain.split(/\s+/).filter((word) => word !== '');
  return options.byCharacter === true ? words.flatMap((word) => [...word]) : words;
}
