/**
 * How a word may sound, roughly and by spelling alone: one character a sound, vowels in three classes. It is made for
 * finding what a recogniser has misspelt, in any language of the Latin alphabet; letters of other scripts stand for
 * themselves. "Caxton" and "Kackston" are the same, "kinesin" and "kints and" are near.
 */
export function toSounds(word: string): string {
  let text = word
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
    // Arabic digits, of both forms.
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 0xf));
  for (const [pattern, sound] of spellings) text = text.replace(pattern, sound);
  return text;
}

/** In this order. Capitals are sounds that have no letter of their own: S as in ship, C chip, J jam, T thin. */
const spellings: readonly (readonly [RegExp, string])[] = [
  [/ß/g, 'ss'],
  [/æ/g, 'e'],
  [/ø|œ/g, 'o'],
  [/ł/g, 'l'],
  [/^(?:kn|gn|pn)/, 'n'],
  [/^ps/, 's'],
  [/^pt/, 't'],
  [/^wr/, 'r'],
  [/^x/, 's'],
  [/mb$/, 'm'],
  [/(?<=[bcdfghjklmnpqrstvwxz])e$/, ''],
  [/[tsc]ion/g, 'Sun'],
  [/tch|ch/g, 'C'],
  [/sCh|sC|sh/g, 'S'],
  [/ph/g, 'f'],
  [/th/g, 'T'],
  [/dg(?=[eiy])/g, 'J'],
  [/gh(?=t|$)/g, ''],
  [/gh/g, 'g'],
  [/rh/g, 'r'],
  [/wh/g, 'w'],
  [/ck/g, 'k'],
  [/s?c(?=[eiy])/g, 's'],
  [/[cq]u(?=[aeio])/g, 'kw'],
  [/[cq]/g, 'k'],
  [/x/g, 'ks'],
  [/j/g, 'J'],
  [/^y(?=[aeiou])/, 'Y'],
  [/a[aeiouy]*/g, 'a'],
  [/[ou][aeiouy]*/g, 'o'],
  [/[eiy][aeiouy]*/g, 'i'],
  [/(\D)\1+/g, '$1'],
];

const vowels = 'aio';
/** Sounds that recognisers and spellers take for each other, and what that costs; all others cost 1. */
const near: readonly (readonly [string, number])[] = [
  [vowels, 0.25],
  ['sz', 0.2],
  ['pb', 0.4],
  ['td', 0.4],
  ['kg', 0.4],
  ['fv', 0.4],
  ['mn', 0.5],
  ['SCJ', 0.4],
  ['gJ', 0.4],
  ['kC', 0.4],
  ['sS', 0.4],
  ['sC', 0.5],
  ['zS', 0.4],
  ['zJ', 0.5],
  ['Tt', 0.3],
  ['Td', 0.5],
  ['Tf', 0.4],
  ['Ts', 0.5],
  ['vw', 0.4],
  ['vb', 0.5],
  ['lr', 0.7],
  ['Yi', 0.2],
  ['YJ', 0.4],
  ['wo', 0.4],
  ['hk', 0.7],
];

/** What a sound costs that one has and the other has not. */
const gapCosts: readonly (readonly [string, number])[] = [
  ['h', 0.3],
  [vowels, 0.4],
  ['rwY', 0.5],
];
const usualGapCost = 0.8;

/** Costs of the sounds of ASCII, [sound, sound] and [sound]: the search looks at millions of pairs. */
export interface SoundCosts {
  substitution: Float32Array;
  gap: Float32Array;
}

const asciiSize = 128;
const firstDigit = '0'.charCodeAt(0);

export function createSoundCosts(): SoundCosts {
  const substitution = new Float32Array(asciiSize * asciiSize).fill(1);
  for (let code = 0; code < asciiSize; code++) substitution[code * asciiSize + code] = 0;
  for (const [group, cost] of near) {
    for (const a of group) {
      for (const b of group) if (a !== b) substitution[a.charCodeAt(0) * asciiSize + b.charCodeAt(0)] = cost;
    }
  }
  const gap = new Float32Array(asciiSize).fill(usualGapCost);
  for (const [group, cost] of gapCosts) for (const sound of group) gap[sound.charCodeAt(0)] = cost;
  // Another number is never a misspelling.
  for (let code = firstDigit; code < firstDigit + 10; code++) {
    gap[code] = Number.POSITIVE_INFINITY;
    for (let other = 0; other < asciiSize; other++) {
      if (other === code) continue;
      substitution[code * asciiSize + other] = Number.POSITIVE_INFINITY;
      substitution[other * asciiSize + code] = Number.POSITIVE_INFINITY;
    }
  }
  return { substitution, gap };
}

function substitutionCost({ substitution }: SoundCosts, a: number, b: number): number {
  if (a < asciiSize && b < asciiSize) return substitution[a * asciiSize + b] as number;
  if (isDigit(a) || isDigit(b)) return Number.POSITIVE_INFINITY;
  return a === b ? 0 : 1;
}

function isDigit(sound: number): boolean {
  return sound >= firstDigit && sound < firstDigit + 10;
}

function gapCost({ gap }: SoundCosts, sound: number): number {
  return sound < asciiSize ? (gap[sound] as number) : usualGapCost;
}

/** A run of words that sounds like a term. */
export interface SoundMatch {
  firstWord: number;
  wordCount: number;
  /** 0: the same; from about .3 on hardly alike. The costs of all differences, for each sound of the term. */
  distance: number;
}

/** Words as one string of sounds, for {@link findSoundMatches}. */
export interface SoundText {
  sounds: Uint16Array;
  gaps: Float32Array;
  /** The word that begins at a place, and the one that ends before it; -1: none. */
  wordFrom: Int32Array;
  wordUpTo: Int32Array;
}

export function toSoundText(words: readonly string[], costs: SoundCosts): SoundText {
  const keys = words.map(toSounds);
  const joined = keys.join('');
  const sounds = Uint16Array.from({ length: joined.length }, (_, i) => joined.charCodeAt(i));
  const wordFrom = new Int32Array(sounds.length + 1).fill(-1);
  const wordUpTo = new Int32Array(sounds.length + 1).fill(-1);
  let at = 0;
  keys.forEach((key, word) => {
    if (key === '') return;
    wordFrom[at] = word;
    at += key.length;
    wordUpTo[at] = word;
  });
  return { sounds, gaps: Float32Array.from(sounds, (sound) => gapCost(costs, sound)), wordFrom, wordUpTo };
}

/**
 * Where a text sounds like a term: runs of whole words, at most one for each last word, by Sellers' approximate search
 * (P. Sellers, The theory and computation of evolutionary distances, 1980). It goes along the text and leaves a column
 * where nothing below the greatest cost goes on, which is nearly always after the first few sounds.
 * @param term of {@link toSounds}, its words joined
 */
export function findSoundMatches(text: SoundText, term: string, costs: SoundCosts, maxDistance: number): SoundMatch[] {
  const { sounds, gaps, wordFrom, wordUpTo } = text;
  const height = term.length;
  if (height === 0) return [];
  const limit = maxDistance * height;
  const termSounds = Uint16Array.from({ length: height }, (_, i) => term.charCodeAt(i));
  const missing = Float32Array.from(termSounds, (sound) => gapCost(costs, sound));
  /** By sounds of the term that were met: the least cost, and the word at which that begins. */
  const cost = new Float32Array(height + 1).fill(Number.POSITIVE_INFINITY);
  const begin = new Int32Array(height + 1).fill(-1);
  /** Above this one nothing is below the limit. */
  let live = -1;
  const found: SoundMatch[] = [];
  const goDown = (from: number): void => {
    for (let i = from; i < height; i++) {
      const next = (cost[i] as number) + (missing[i] as number);
      if (next > limit) return;
      if (next < (cost[i + 1] as number)) {
        cost[i + 1] = next;
        begin[i + 1] = begin[i] as number;
        live = Math.max(live, i + 1);
      }
    }
  };
  for (let j = 0; j <= sounds.length; j++) {
    if (j > 0 && live >= 0) {
      const sound = sounds[j - 1] as number;
      const extra = gaps[j - 1] as number;
      let diagonal = cost[0] as number;
      let diagonalBegin = begin[0] as number;
      cost[0] = diagonal + extra;
      const last = Math.min(height, live + 1);
      live = (cost[0] as number) <= limit ? 0 : -1;
      for (let i = 1; i <= last; i++) {
        const old = cost[i] as number;
        const oldBegin = begin[i] as number;
        let least = diagonal + substitutionCost(costs, termSounds[i - 1] as number, sound);
        let from = diagonalBegin;
        if (old + extra < least) {
          least = old + extra;
          from = oldBegin;
        }
        const below = (cost[i - 1] as number) + (missing[i - 1] as number);
        if (below < least) {
          least = below;
          from = begin[i - 1] as number;
        }
        diagonal = old;
        diagonalBegin = oldBegin;
        cost[i] = least <= limit ? least : Number.POSITIVE_INFINITY;
        begin[i] = from;
        if (least <= limit) live = i;
      }
      if (live === last) goDown(last);
    }
    const lastWord = wordUpTo[j] as number;
    const total = cost[height] as number;
    if (lastWord !== -1 && total <= limit && (begin[height] as number) >= 0) {
      const firstWord = begin[height] as number;
      found.push({ firstWord, wordCount: lastWord - firstWord + 1, distance: total / height });
    }
    const nextWord = wordFrom[j] as number;
    if (nextWord !== -1) {
      cost[0] = 0;
      begin[0] = nextWord;
      live = Math.max(live, 0);
      goDown(0);
    }
  }
  return found;
}
