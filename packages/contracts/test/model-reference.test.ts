import { expect, test } from 'vitest';
import { hubFolderName, parseModelReference } from '../src/model-reference.ts';

const revision = '0123456789abcdef0123456789abcdef01234567';

test('a folder is known by its name', () => {
  expect(parseModelReference('whisper-base')).toEqual({ kind: 'folder', name: 'whisper-base' });
});

test('a model of a hub is known by owner, name and commit, and has a folder name of its own', () => {
  const reference = parseModelReference(`some-maker/whisper-small.en@${revision}`);
  expect(reference).toEqual({ kind: 'hub', owner: 'some-maker', name: 'whisper-small.en', revision });
  if (reference.kind === 'hub') expect(hubFolderName(reference)).toBe(`some-maker--whisper-small.en@${revision}`);
});

test.each(['some-maker/whisper-small', 'some-maker/whisper-small@main', `a/b@${revision.slice(1)}`])(
  '%s has no fixed revision: refused with what is missing',
  (text) => {
    expect(() => parseModelReference(text)).toThrow(/40 hex digits/);
  },
);

const refused = [
  '',
  '.',
  '..',
  '../x',
  'a/..',
  'a/b/c',
  '/etc',
  'a\\b',
  'a b',
  '-a',
  'a--b',
  `a@${revision}`,
  'a/b@c@d',
];
test.each(refused)('"%s" names no model', (text) => {
  expect(() => parseModelReference(text)).toThrow(/folder|40 hex/);
});
