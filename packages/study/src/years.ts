const units =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const tens = ' ten twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

/** A number below 100 as one says it; "sixty-five" or "sixty five". */
function toWords(value: number, joint: string): string {
  const ten = tens[Math.floor(value / 10)] as string;
  if (value < units.length) return units[value] as string;
  return value % 10 === 0 ? ten : `${ten}${joint}${units[value % 10]}`;
}

const byWords = new Map<string, number>(
  Array.from({ length: 100 }, (_, value) => [toWords(value, ' '), value] as const),
);

const century = units.slice(10).concat('twenty').join('|');
const word = [...units, ...tens, 'oh', 'hundred'].filter((each) => each !== '' && each !== 'zero').join('|');
/** A year from 1000 to 2099 in digits, or as it is said: "fourteen sixty-five", "nineteen oh five", "seventeen hundred". */
export const yearSource = `(?:1[0-9]{3}|20[0-9]{2}|(?:${century})(?:[ -](?:${word})){1,2})\\b`;

/** @returns the year of a text that `yearSource` matches; undefined where the words are no year ("ten oh hundred") */
export function parseYear(text: string): number | undefined {
  if (/^\d{4}$/u.test(text)) return Number(text);
  const [first = '', ...rest] = text.toLowerCase().split(/[ -]/u);
  const hundreds = byWords.get(first);
  const said = rest.join(' ').replace(/^oh /u, '');
  const below = said === 'hundred' ? 0 : byWords.get(said);
  const isWhole = rest[0] === 'oh' ? below !== undefined && below > 0 && below < 10 : below === 0 || (below ?? 0) >= 10;
  return hundreds === undefined || below === undefined || !isWhole ? undefined : hundreds * 100 + below;
}

/** A year in the form in which another one is written; undefined where nobody says it so ("twenty oh five"). */
function writeLike(year: number, pattern: string): string | undefined {
  if (/^\d/u.test(pattern)) return String(year);
  const [hundreds, below] = [Math.floor(year / 100), year % 100];
  if (hundreds === 20 && below < 10) return undefined;
  const rest = below === 0 ? 'hundred' : below < 10 ? `oh ${units[below]}` : toWords(below, yearJoint(pattern));
  return `${toWords(hundreds, ' ')} ${rest}`;
}

function yearJoint(pattern: string): string {
  return pattern.includes('-') || pattern.split(' ').length < 3 ? '-' : ' ';
}

const months = 'January|February|March|April|May|June|July|August|September|October|November|December';
const saidYear = new RegExp(
  `(?:\\b(?:in|of|from|by|since|until|till|before|after|around|about|year|circa|${months})(?: the year)?(?: \\d{1,2},)? )(?<year>${yearSource})\\b(?! (?:\\p{Ll}+s|people)\\b)`,
  'giu',
);

/** Years that a text names as such, not every number of four digits ("1500 copies"). */
export function findYears(text: string): number[] {
  return [...text.matchAll(saidYear)].flatMap((match) => parseYear(match.groups?.year ?? '') ?? []);
}

const wanted = 3;
/** Another of the lecture's years that is further away is told from the right one without knowing anything. */
const farthest = 150;
const stepsBack = [-7, -16, -24, -33];
const stepsOn = [9, 14, 21];
/** A year up to this has been, whenever this is run. */
const surelyPast = 2020;

/**
 * Wrong answers for a question about a year: the lecture's own years first, the nearest before the others, then made ones
 * on both sides of the right one, none of which is still to come. In the form of the right one, in digits or words.
 * @param answer "In 1465." or "In fourteen sixty-five."
 * @returns three, or undefined where the answer is no year that is understood
 */
export function otherYears(answer: string, question: string, texts: readonly string[]): string[] | undefined {
  const written = new RegExp(yearSource, 'iu').exec(answer)?.[0];
  const year = written === undefined ? undefined : parseYear(written);
  if (written === undefined || year === undefined) return undefined;
  const asked = [...question.matchAll(new RegExp(`\\b${yearSource}\\b`, 'giu'))].map(([text]) => parseYear(text));
  const excluded = new Set<number | undefined>([year, ...asked]);
  const all = [...new Set(texts.flatMap(findYears))];
  const latest = Math.max(surelyPast, year, ...all);
  const said = all
    .filter((other) => !excluded.has(other) && Math.abs(other - year) <= farthest)
    .sort((a, b) => Math.abs(a - year) - Math.abs(b - year) || a - b);
  // How many come after the right one differs from year to year: its place among the four says nothing.
  const after = year % (wanted + 1);
  const steps = [...stepsOn.slice(0, after), ...stepsBack.slice(0, wanted - after), ...stepsOn, ...stepsBack];
  const made = steps.map((step) => year + step).filter((other) => other <= latest && !excluded.has(other));
  const others = [...new Set([...said, ...made])].flatMap((other) => writeLike(other, written) ?? []);
  return others.length < wanted ? undefined : others.slice(0, wanted).map((other) => answer.replace(written, other));
}
