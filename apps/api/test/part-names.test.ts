import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { transcribedChunkKey, transcriptKey } from '@studymate/storage/lecture-keys';
import { expect, test } from 'vitest';
import { isIndexOfNow, isPartOfNow, toIndexedName, toTextName } from '../src/search/part-names.ts';
import { toRef } from './support/made-lecture.ts';

const id = '01k3zz8qk0aaaaaaaaaaaaaaaa';
const toRecord = (changes: Partial<LectureRecord>) => ({ id, attempts: {}, ...changes }) as LectureRecord;
const assemble = toRef(transcriptKey(id, 1));
const chapters = toRef('chapters');
const chunk = transcribedChunkKey(id, 1, 0);

test('what was read of a text is of no use once that has been corrected, made again or heard anew', () => {
  const made = toRecord({ artifacts: { assemble, chapters } });
  const corrected = toRecord({ artifacts: { assemble, chapters }, transcriptVersion: 1 });
  const twice = { ...corrected, transcriptVersion: 2 };
  const again = { ...twice, studiedVersions: { chapters: 2 }, artifacts: { assemble, chapters: toRef('chapters', 2) } };
  const restudying = toRecord({ artifacts: { assemble }, transcriptVersion: 2 });
  const heardAnew = toRecord({ artifacts: {}, attempts: { transcribe: 2 }, transcriptVersion: 2 });
  expect([made, corrected, twice, again].map(isIndexOfNow)).toEqual([true, false, false, true]);
  const states = [made, corrected, twice, again, restudying, heardAnew];
  const names = [...states.flatMap((record) => [toIndexedName(record), toTextName(record)]), chunk];
  const fits = states.map((record) => [...new Set(names.filter((name) => name !== null && isPartOfNow(name, record)))]);
  const index = `lectures/${id}/chapters/1/search-index.bin`;
  expect(fits).toEqual([
    [index, assemble.key, chunk],
    [`${index}+1`, `${assemble.key}+1`],
    [`${index}+2`, `${assemble.key}+2`],
    [`${assemble.key}+2`, index.replace('/1/', '/2/')],
    [`${assemble.key}+2`],
    [],
  ]);
  expect(isPartOfNow(transcribedChunkKey(id, 2, 0), heardAnew)).toBe(true);
});
