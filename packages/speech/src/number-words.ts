/** English number words in digits, after EnglishNumberNormalizer of openai/whisper (normalizers/english.py). */
const small = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
];
const tensWords = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const irregularOrdinals: Record<string, number> = {
  first: 1,
  second: 2,
  third: 3,
  fifth: 5,
  eighth: 8,
  ninth: 9,
  twelfth: 12,
};

interface NumberWord {
  value: number;
  /** Below twenty, a multiple of ten, or a power of ten. */
  kind: 'ones' | 'tens' | 'multiplier';
  suffix: string;
}

const numberWords = new Map<string, NumberWord>();
const add = (word: string, value: number, kind: NumberWord['kind'], suffix = ''): void => {
  numberWords.set(word, { value, kind, suffix });
};
small.forEach((word, value) => {
  add(word, value, 'ones');
  if (value > 0) add(word === 'six' ? 'sixes' : `${word}s`, value, 'ones', 's');
  if (value > 3 && !['five', 'eight', 'nine', 'twelve'].includes(word)) add(`${word}th`, value, 'ones', 'th');
});
for (const [word, value] of Object.entries(irregularOrdinals)) {
  add(word, value, 'ones', value === 1 ? 'st' : value === 2 ? 'nd' : value === 3 ? 'rd' : 'th');
}
tensWords.forEach((word, i) => {
  add(word, (i + 2) * 10, 'tens');
  add(word.replace(/y$/, 'ies'), (i + 2) * 10, 'tens', 's');
  add(word.replace(/y$/, 'ieth'), (i + 2) * 10, 'tens', 'th');
});
for (const [word, value] of Object.entries({
  hundred: 100,
  thousand: 1e3,
  million: 1e6,
  billion: 1e9,
  trillion: 1e12,
})) {
  add(word, value, 'multiplier');
  add(`${word}s`, value, 'multiplier', 's');
  add(`${word}th`, value, 'multiplier', 'th');
}

const currencySigns: Record<string, string> = {
  dollar: '$',
  dollars: '$',
  euro: '€',
  euros: '€',
  pound: '£',
  pounds: '£',
};

/** "fourteen fifty five" → "1455", "twenty first" → "21st", "two hundred and six" → "206", "nine percent" → "9%". */
export function normaliseNumbers(words: readonly string[]): string[] {
  const output: string[] = [];
  // A number grows by sums ("twenty" "one") or, once it is text, by digits side by side ("nineteen" "oh" "five").
  let value: number | string | null = null;
  let previous: NumberWord | null = null;
  const close = (suffix = ''): void => {
    if (value !== null) output.push(`${value}${suffix}`);
    value = null;
    previous = null;
  };

  words.forEach((word, i) => {
    const next = words[i + 1] ?? '';
    const number = numberWords.get(word);
    if (number !== undefined) {
      value = extend(value, number, previous);
      previous = number;
      if (number.suffix !== '') close(number.suffix);
    } else if (/^\d+(\.\d+)?$/.test(word)) {
      if (typeof value === 'string' && value.endsWith('.')) value += word;
      else {
        close();
        value = word.includes('.') ? word : Number(word);
        if (typeof value === 'number' && String(value) !== word) value = word;
      }
      previous = { value: Number(word), kind: 'ones', suffix: '' };
    } else if ((word === 'oh' || word === 'o') && value !== null && isNumber(next)) {
      value = `${value}0`;
      previous = null;
    } else if (word === 'and' && previous?.kind === 'multiplier' && numberWords.has(next)) {
      return;
    } else if (word === 'point' && value !== null && isNumber(next)) {
      value = `${value}.`;
      previous = null;
    } else if ((word === 'percent' || (word === 'per' && next === 'cent')) && value !== null) {
      close('%');
    } else if (word === 'cent' && words[i - 1] === 'per' && output.at(-1)?.endsWith('%') === true) {
      return;
    } else if (value !== null && Object.hasOwn(currencySigns, word)) {
      value = `${currencySigns[word]}${value}`;
      close();
    } else {
      close();
      output.push(word);
    }
  });
  close();
  return output;
}

function isNumber(word: string): boolean {
  return numberWords.has(word) || /^\d/.test(word);
}

function extend(value: number | string | null, word: NumberWord, previous: NumberWord | null): number | string {
  if (word.kind === 'multiplier') {
    if (value === null) return word.value;
    if (typeof value === 'string') return Number(value) * word.value || `${value}${word.value}`;
    const rest = value % 1000;
    return value - rest + rest * word.value;
  }
  if (value === null) return word.value;
  if (word.kind === 'tens')
    return typeof value === 'number' && value % 100 === 0 ? value + word.value : `${value}${word.value}`;
  if (previous?.kind === 'tens' && word.value < 10 && word.value > 0) {
    return typeof value === 'number' ? value + word.value : `${value.slice(0, -1)}${word.value}`;
  }
  if (typeof value === 'string' || previous?.kind === 'ones') return `${value}${word.value}`;
  return value % (word.value < 10 ? 10 : 100) === 0 ? value + word.value : `${value}${word.value}`;
}
