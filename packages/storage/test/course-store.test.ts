import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CourseRecord } from '@studymate/contracts/course';
import { createId } from '@studymate/contracts/ids';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { type CourseStore, createCourseStore } from '../src/course-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';

let rootDir: string;
let blobs: BlobStore;
let courses: CourseStore;
beforeEach(async () => {
  rootDir = await mkdtemp(path.join(tmpdir(), 'studymate-courses-'));
  blobs = await createFileBlobStore({ rootDir });
  courses = createCourseStore({ blobs });
});
afterEach(async () => {
  await blobs.close();
  await rm(rootDir, { recursive: true, force: true });
});

async function make(owner = 'ada'): Promise<CourseRecord> {
  const createdAt = new Date(0).toISOString();
  const record: CourseRecord = { schemaVersion: 1, id: createId(), version: 1, owner, title: 'A', createdAt };
  expect(await courses.create(record)).toBe(true);
  return record;
}
const listIds = (person: string) => courses.listIds(person, { limit: 100 });

test('members with any name are found, listed and removed', async () => {
  const { id } = await make();
  const names = ['bob', 'x@y.org', 'auth0|5f7', 'Ünsal', '../..', 'a'.repeat(255)].sort();
  for (const name of names) expect(await courses.addMember(id, name)).toBe(true);
  expect(await courses.listMembers(id)).toEqual(names);
  for (const name of names) {
    expect(await courses.isMember(id, name)).toBe(true);
    expect(await listIds(name)).toEqual([id]);
    await courses.removeMember(id, name);
    expect(await courses.isMember(id, name)).toBe(false);
    expect(await listIds(name)).toEqual([]);
  }
});

test('courses of others that are shared with somebody do not count among their own', async () => {
  const [own, foreign] = [await make('bob'), await make('ada')];
  await courses.addMember(foreign.id, 'bob');
  expect((await listIds('bob')).sort()).toEqual([own.id, foreign.id].sort());
  expect(await courses.listIds('bob', { limit: 100, relation: 'owned' })).toEqual([own.id]);
});

test('changes at once: every one gets a version of its own', async () => {
  const { id } = await make();
  await Promise.all(
    Array.from({ length: 10 }, () => courses.update(id, (record) => ({ ...record, title: `${record.title}x` }))),
  );
  expect(await courses.read(id)).toMatchObject({ title: `A${'x'.repeat(10)}`, version: 11 });
});

test('a course that is changed very often: its last 50 versions and the newest stay, and it is not made a second time', async () => {
  const record = await make();
  const { id } = record;
  for (let i = 0; i < 60; i++) await courses.update(id, (old) => ({ ...old, title: `${i}` }));
  const keys = await blobs.list(`courses/${id}/records/`);
  expect([keys.length, keys.at(-1)]).toEqual([51, `courses/${id}/records/00000061.json`]);
  expect(await courses.create(record)).toBe(false);
  expect(await courses.read(id)).toMatchObject({ version: 61, title: '59' });
  expect(await blobs.list(`courses/${id}/records/`)).toEqual(keys);
});

test('a change that comes so late that its number was dropped: is made on the newest version', async () => {
  const { id } = await make();
  const second = `courses/${id}/records/00000002.json`;
  const slow = {
    ...blobs,
    async create(key: string, body: Uint8Array) {
      if (key === second) for (let i = 0; i < 60; i++) await courses.update(id, (old) => ({ ...old, title: `${i}` }));
      return blobs.create(key, body);
    },
  };
  const late = await createCourseStore({ blobs: slow }).update(id, (old) => ({ ...old, title: `${old.title} late` }));
  expect(late).toMatchObject({ version: 62, title: '59 late' });
  expect(await courses.read(id)).toEqual(late);
  expect(await blobs.stat(second)).toBeNull();
});

test('a member who is added while the course is deleted is not left behind', async () => {
  const { id } = await make();
  const [, added] = await Promise.all([courses.delete(id), courses.addMember(id, 'bob')]);
  if (added) await courses.finishDeletion(id);
  expect(await courses.read(id)).toBeNull();
  expect([await courses.isMember(id, 'bob'), await listIds('bob'), await listIds('ada')]).toEqual([false, [], []]);
});

test('finishDeletion: of a course that is there does nothing; of one that was left half-way does the rest', async () => {
  const { id } = await make();
  await courses.addMember(id, 'bob');
  await courses.finishDeletion(id);
  expect(await courses.isMember(id, 'bob')).toBe(true);
  // What a process leaves that dies after the first step.
  await blobs.create(`courses/${id}/records/99999999.json`, Buffer.from('{"name":"ada"}'));
  expect(await courses.read(id)).toBeNull();
  await courses.finishDeletion(id);
  expect(await blobs.list('people/')).toEqual([]);
  expect(await blobs.list(`courses/${id}/`)).toEqual([`courses/${id}/records/99999999.json`]);
});

test('a deleted course comes back by nothing: not by its id, not by a change', async () => {
  const record = await make();
  await courses.delete(record.id);
  expect(await courses.create(record)).toBe(false);
  expect(await courses.update(record.id, (current) => ({ ...current, title: 'B' }))).toBeNull();
  expect(await courses.addMember(record.id, 'bob')).toBe(false);
  expect(await courses.read('../x')).toBeNull();
  expect(await listIds('ada')).toEqual([]);
});
