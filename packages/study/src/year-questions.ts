import type { TimedSentence } from './sentences.ts';
import { tidyStatement } from './statement-text.ts';
import { parseYear, yearSource } from './years.ts';

const yearPattern = new RegExp(
  `^In (?<year>${yearSource}),? (?<subject>(?:[\\p{Lu}][\\p{L}.'’-]*|and|of|von|van|de|the|&)(?: (?:[\\p{Lu}][\\p{L}.'’-]*|and|of|von|van|de|the|&)){0,6}) (?<verb>began|invented|published|discovered|founded|wrote|introduced|proposed|proved|showed|built|developed|created|established|opened|won|became|died|moved|started|made|printed|produced|described|designed|launched|formed|left)\\b(?<rest>[^.;]{4,160})`,
  'u',
);
const baseForms: Record<string, string> = {
  began: 'begin',
  invented: 'invent',
  published: 'publish',
  discovered: 'discover',
  founded: 'found',
  wrote: 'write',
  introduced: 'introduce',
  proposed: 'propose',
  proved: 'prove',
  showed: 'show',
  built: 'build',
  developed: 'develop',
  created: 'create',
  established: 'establish',
  opened: 'open',
  won: 'win',
  became: 'become',
  died: 'die',
  moved: 'move',
  started: 'start',
  made: 'make',
  printed: 'print',
  produced: 'produce',
  described: 'describe',
  designed: 'design',
  launched: 'launch',
  formed: 'form',
  left: 'leave',
};

/** What was done next is no part of what the year is asked for. */
const secondVerb = new RegExp(
  ` and (?:(?:then|so|also|soon|later|\\p{L}+ly) )*(?:(?:he|she|it|they|this|which|was|were|had|did|took|gave|came|went|saw|got|ran|led|lost|held|kept|brought|taught|${Object.keys(baseForms).join('|')})\\b|\\p{L}{2,}ed (?:an?|the|his|her|its|their|it|them|that|in|on|at|to|from|with|by|for|into)\\b).*$`,
  'su',
);

/** "In 1465 Sweynheim and Pannartz began printing near Rome, and …" → "When did Sweynheim and Pannartz begin printing near Rome?" */
export function findYearQuestions(
  sentences: readonly TimedSentence[],
  quality: readonly number[],
): { sentence: number; front: string; back: string; start: number }[] {
  return sentences.flatMap((source, sentence) => {
    const groups = yearPattern.exec(tidyStatement(source.text))?.groups;
    if (groups === undefined || (quality[sentence] as number) < 0.3 || parseYear(groups.year as string) === undefined)
      return [];
    const rest = (groups.rest as string).replace(/,.*$/su, '').replace(secondVerb, '').trim();
    // "When did X print?" asks for too little.
    if (rest === '') return [];
    const front = `When did ${groups.subject} ${baseForms[groups.verb as string]} ${rest}?`;
    const back = `In ${groups.year}.`;
    return [{ sentence, front, back, start: source.start }];
  });
}
