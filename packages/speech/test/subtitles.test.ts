import type { Segment } from '@studymate/contracts/transcript';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toPlainText, toSrt, toVtt } from '../src/subtitles.ts';

function segment(text: string, start = 0, secondsEach = 0.5): Segment {
  const words = text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word, i) => ({ word, start: start + i * secondsEach, end: start + (i + 1) * secondsEach, probability: 1 }));
  return { id: 0, start, end: words.at(-1)?.end ?? start, text, confidence: 1, flags: [], words };
}

test('SubRip: numbered cues, comma before the milliseconds, CRLF', () => {
  expect(toSrt([segment('Hello there.'), segment('Again.', 3661.25)])).toBe(
    '1\r\n00:00:00,000 --> 00:00:01,000\r\nHello there.\r\n\r\n2\r\n01:01:01,250 --> 01:01:01,750\r\nAgain.\r\n',
  );
});

test('WebVTT: header, point before the milliseconds, signs escaped, no arrow within the text', () => {
  const vtt = toVtt([segment('a < b && c --> d')]);
  expect(vtt).toBe('WEBVTT\n\n00:00:00.000 --> 00:00:03.500\na &lt; b &amp;&amp; c --&gt; d\n');
});

test('a text with line ends and blank lines stays within its cue', () => {
  expect(toVtt([segment('one\n\ntwo\r\n\r\n00:00:01.000 --> 00:00:02.000')]).split('\n\n')).toHaveLength(2);
  expect(toSrt([segment('one\n\ntwo')])).not.toContain('one\r\n\r\n');
});

test('a long segment becomes several cues of at most two lines, timed by its words', () => {
  const text = Array.from({ length: 40 }, (_, i) => `word${i}`).join(' ');
  const cues = toVtt([segment(text)])
    .trim()
    .split('\n\n')
    .slice(1);
  expect(cues.length).toBeGreaterThan(2);
  for (const cue of cues) {
    const [, ...lines] = cue.split('\n');
    expect(lines.length).toBeLessThanOrEqual(2);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(42);
  }
  expect(cues.map((cue) => cue.split('\n').slice(1).join(' ')).join(' ')).toBe(text);
  const second = cues[1] as string;
  const index = Number(/word(\d+)/.exec(second)?.[1]);
  expect(
    second.startsWith(`00:00:${String(Math.floor(index / 2)).padStart(2, '0')}.${index % 2 === 0 ? '000' : '500'}`),
  ).toBe(true);
});

test('text without spaces and without words is cut too', () => {
  const long = { ...segment(''), text: '今'.repeat(130), end: 13 };
  const cues = toVtt([long]).trim().split('\n\n').slice(1);
  expect(cues).toHaveLength(2);
  expect(cues.join('').match(/今/g)).toHaveLength(130);
});

test('any text: no word is lost and every cue has a time line and text', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 5 }), (texts) => {
      const segments = texts.map((text, i) => segment(text, i * 100));
      const blocks = toVtt(segments).trimEnd().split('\n\n').slice(1);
      for (const block of blocks) {
        expect(block).toMatch(/^\d{2,}:\d\d:\d\d\.\d{3} --> \d{2,}:\d\d:\d\d\.\d{3}\n\S/);
        expect(block.match(/-->/g)).toHaveLength(1);
      }
      const shown = blocks.map((block) => block.slice(block.indexOf('\n')).replace(/\s+/g, '')).join('');
      const unescaped = shown.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
      expect(unescaped).toBe(texts.join('').replace(/\s+/g, ''));
    }),
  );
});

test('plain text has a segment a line, and nothing for nothing', () => {
  expect(toPlainText({ segments: [segment('One two.'), segment('Three.')] })).toBe('One two.\nThree.\n');
  expect(toPlainText({ segments: [] })).toBe('');
});
