import { expect, test } from 'vitest';
import { createSoundCosts, findSoundMatches, toSounds, toSoundText } from '../src/sounds-alike.ts';

const costs = createSoundCosts();
const find = (said: string, term: string, maxDistance = 0.25) => {
  const words = said.split(' ');
  const sounds = term.split(' ').map(toSounds).join('');
  return findSoundMatches(toSoundText(words, costs), sounds, costs, maxDistance).map((match) => ({
    words: words.slice(match.firstWord, match.firstWord + match.wordCount).join(' '),
    distance: match.distance,
  }));
};

test.each([
  ['Caxton', 'Kackston'],
  ['Schoeffer', 'Schöffer'],
  ['proteasome', 'proteosome'],
  ['tephra', 'Tefra'],
  ['knight', 'night'],
  ['psyche', 'psyche.'],
])('%s and %s: the same sounds', (a, b) => {
  expect(toSounds(a)).toBe(toSounds(b));
});

test('signs and marks alone: no sounds', () => {
  expect(['', '—', '?!'].map(toSounds)).toEqual(['', '', '']);
});

test.each([
  ['the great Bucks tewed, he heard', 'Buxtehude', 'Bucks tewed,'],
  ['in the lice-as-ohm where', 'lysosome', 'lice-as-ohm'],
  ['printed by Swayneheim and Panart', 'Sweynheim', 'Swayneheim'],
  ['an Eddie Akaran period', 'Ediacaran', 'Eddie Akaran'],
  ['made of back pressure alone', 'backpressure', 'back pressure'],
  ['пишет Достоевский много', 'Достоевский', 'Достоевский'],
])('in "%s" the term %s: found as "%s", which is nearest', (said, term, expected) => {
  const [nearest] = find(said, term).sort((a, b) => a.distance - b.distance);
  expect(nearest?.words).toBe(expected);
});

test('words that sound unlike: not found, nor is a part of a word', () => {
  expect(find('the quick brown fox', 'Wittgenstein')).toEqual([]);
  expect(find('unbelievably', 'leave')).toEqual([]);
});

test.each([
  ['in 1985 he said', '1984'],
  ['in 198 he said', '1984'],
  ['after 100 years', '1000'],
  ['with 4k there', '5k'],
  ['a vitamin be', 'vitamin B12'],
  ['type 2 diabetes', 'type 1 diabetes'],
  ['في عام ١٩٨٥', '١٩٨٤'],
])('in "%s" the term %s: not found, for a digit is like no other', (said, term) => {
  expect(find(said, term)).toEqual([]);
});

test('the same digits are found, in Arabic ones, too', () => {
  expect(find('in 1984, they', '1984')).toMatchObject([{ words: '1984,', distance: 0 }]);
  expect(find('في عام ١٩٨٤', '1984')).toMatchObject([{ words: '١٩٨٤', distance: 0 }]);
  expect(find('of type 2 diabetis', 'type 2 diabetes')).toMatchObject([{ words: 'type 2 diabetis' }]);
});

test('the search: the same costs as a plain table of edit distances', () => {
  const plain = (a: string, b: string): number => {
    const sound = (text: string, i: number) => text.charCodeAt(i);
    const rows = [[0]];
    for (let j = 1; j <= b.length; j++) {
      rows[0]?.push((rows[0][j - 1] as number) + (costs.gap[sound(b, j - 1)] as number));
    }
    for (let i = 1; i <= a.length; i++) {
      const above = rows[i - 1] as number[];
      const missing = costs.gap[sound(a, i - 1)] as number;
      const row = [(above[0] as number) + missing];
      for (let j = 1; j <= b.length; j++) {
        const changed = costs.substitution[sound(a, i - 1) * 128 + sound(b, j - 1)] as number;
        const extra = costs.gap[sound(b, j - 1)] as number;
        row.push(
          Math.min((above[j - 1] as number) + changed, (above[j] as number) + missing, (row[j - 1] as number) + extra),
        );
      }
      rows.push(row);
    }
    return rows[a.length]?.[b.length] as number;
  };
  const words = ['Scarlatti', 'Scarlett', 'kinesin', 'kints', 'Gettier', 'get', 'heart', 'Redis', 'reads', 'Laban'];
  for (const a of words) {
    for (const b of words) {
      const [match] = find(b, a, 2);
      expect(match?.distance).toBeCloseTo(plain(toSounds(a), toSounds(b)) / toSounds(a).length, 4);
    }
  }
});
