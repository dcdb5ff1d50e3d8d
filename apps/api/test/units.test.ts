import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toContentDisposition, toFileName } from '../src/http/content-disposition.ts';
import { parseRange } from '../src/http/range.ts';
import { toStoredFileName, toTitle } from '../src/lectures/file-names.ts';

test('parseRange of any numbers: what it gives lies inside the file', () => {
  const number = fc.option(fc.nat({ max: 1_000 }), { nil: '' as const });
  fc.assert(
    fc.property(number, number, fc.integer({ min: 1, max: 500 }), (first, last, bytes) => {
      let range: ReturnType<typeof parseRange>;
      try {
        range = parseRange(`bytes=${first}-${last}`, bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: 'range_not_satisfiable' });
        return;
      }
      if (range === null) return;
      expect(range.start).toBeGreaterThanOrEqual(0);
      expect(range.end).toBeGreaterThanOrEqual(range.start);
      expect(range.end).toBeLessThan(bytes);
    }),
  );
});

test('toContentDisposition of any name: one header of plain ASCII that ends where it should', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const header = toContentDisposition('attachment', name);
      expect(header).toMatch(/^attachment; filename="[^"\\%\r\n/]+"(; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+)?$/);
    }),
  );
});

test('toFileName, toTitle, toStoredFileName of any text: no folders, no controls, never empty, well-formed, bounded', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), fc.boolean(), (text, asTitle) => {
      const stored = toStoredFileName(text);
      const title = asTitle ? toTitle(text, '') : toTitle(undefined, stored);
      expect(toFileName(text)).toMatch(/^[^/\\:*?"<>|\p{Cc}\p{Cs}]+$/u);
      expect(stored).not.toMatch(/[/\\\p{Cc}\p{Cs}]/u);
      expect(title).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      expect(title.length).toBeGreaterThan(0);
      expect(title.length).toBeLessThanOrEqual(300);
      expect(stored.length).toBeLessThanOrEqual(255);
    }),
  );
});

test.each([
  ['a\nb', 'a b'],
  ['a\r\nb\tc', 'a b c'],
  ['\ta\u2028b\n', 'a b'],
  ['a\u0000\u202eb', 'ab'],
])('toTitle of %j: %j, so that words stay apart', (given, title) => {
  expect(toTitle(given, '')).toBe(title);
});
