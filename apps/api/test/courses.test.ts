import type { StudyMateClient } from '@studymate/client/client';
import { createId } from '@studymate/contracts/ids';
import { testRedisUrl } from '@studymate/queue/testing';
import { createCourseStore } from '@studymate/storage/course-store';
import { createKeyStore } from '@studymate/storage/key-store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLecture } from './support/made-lecture.ts';
import { startTestApi, type TestApi, toFile } from './support/test-api.ts';

let t: TestApi;
let ada: StudyMateClient;
let bob: StudyMateClient;
let cat: StudyMateClient;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl(), env: { AUTH: 'keys' } });
  const keys = createKeyStore(t);
  const clientOf = async (owner: string) => t.clientFor((await keys.create({ owner, label: '' })).key);
  [ada, bob, cat] = await Promise.all([clientOf('ada'), clientOf('bob'), clientOf('cat')]);
});
afterAll(async () => {
  await t?.close();
});

const idsOf = ({ lectures }: { lectures: { id: string }[] }) => lectures.map(({ id }) => id);

test('a course that is shared: its members see it and its lectures; taken back, they see neither', async () => {
  const course = await ada.createCourse('  The press ');
  expect(course).toMatchObject({ title: 'The press', owner: 'ada', role: 'owner', members: [], version: 1 });
  const inside = await ada.uploadLecture(toFile('inside'), { courseId: course.id });
  const outside = await ada.uploadLecture(toFile('outside'));
  expect(idsOf(await bob.listLectures({ courseId: course.id }))).toEqual([]);

  expect((await ada.addMember(course.id, 'bob')).members).toEqual(['bob']);
  expect((await ada.addMember(course.id, 'bob')).members).toEqual(['bob']);
  const { members: _, ...shown } = course;
  expect(await bob.getCourse(course.id)).toEqual({ ...shown, role: 'member' });
  expect((await bob.listCourses()).courses).toEqual([{ ...shown, role: 'member' }]);
  expect(idsOf(await bob.listLectures({ courseId: course.id }))).toEqual([inside.id]);
  expect(idsOf(await bob.listLectures())).toEqual([]);
  expect(await bob.getLecture(inside.id)).toMatchObject({ id: inside.id });
  await expect(bob.getLecture(outside.id)).rejects.toMatchObject({ code: 'not_found' });
  await expect(cat.getLecture(inside.id)).rejects.toMatchObject({ code: 'not_found' });
  await expect(bob.deleteLecture(inside.id)).rejects.toMatchObject({ code: 'forbidden', status: 403 });
  await expect(bob.uploadLecture(toFile('x'), { courseId: course.id })).rejects.toMatchObject({
    code: 'unknown_course',
    status: 422,
  });

  await ada.changeLecture(inside.id, { courseId: null });
  await expect(bob.getLecture(inside.id)).rejects.toMatchObject({ code: 'not_found' });
  await ada.changeLecture(inside.id, { courseId: course.id });
  await ada.removeMember(course.id, 'bob');
  await expect(bob.getLecture(inside.id)).rejects.toMatchObject({ code: 'not_found' });
  await expect(bob.getCourse(course.id)).rejects.toMatchObject({ code: 'not_found' });
  expect((await bob.listCourses()).courses).toEqual([]);
});

test('a member leaves by themself, and takes nobody else along', async () => {
  const { id } = await ada.createCourse('To leave');
  await ada.addMember(id, 'bob');
  await ada.addMember(id, 'cat');
  await expect(bob.removeMember(id, 'cat')).rejects.toMatchObject({ code: 'forbidden' });
  await bob.removeMember(id, 'bob');
  expect((await ada.getCourse(id)).members).toEqual(['cat']);
});

test("a lecture that names a course of somebody else's is not shared with the members of that course", async () => {
  const { id: courseId } = await ada.createCourse('Hers');
  await ada.addMember(courseId, 'cat');
  // As a record of an earlier version may: today the API refuses it.
  const { id } = await makeLecture(t, { owner: 'bob', courseId });
  await expect(cat.getLecture(id)).rejects.toMatchObject({ code: 'not_found' });
  await expect(ada.getLecture(id)).rejects.toMatchObject({ code: 'not_found' });
  expect(await bob.getLecture(id)).toMatchObject({ courseId });
  expect(idsOf(await bob.listLectures({ courseId }))).toEqual([id]);
  expect(idsOf(await cat.listLectures({ courseId }))).toEqual([]);
});

test('delete: its members and the course are gone, its lectures are in no course', async () => {
  const { id: courseId } = await ada.createCourse('To be deleted');
  await ada.addMember(courseId, 'bob');
  const { id } = await ada.uploadLecture(toFile('stays'), { courseId });
  await expect(bob.deleteCourse(courseId)).rejects.toMatchObject({ code: 'forbidden' });
  await expect(cat.deleteCourse(courseId)).rejects.toMatchObject({ code: 'not_found' });
  expect((await ada.getCourse(courseId)).members).toEqual(['bob']);
  await ada.deleteCourse(courseId);
  await expect(ada.getCourse(courseId)).rejects.toMatchObject({ code: 'not_found' });
  await expect(ada.deleteCourse(courseId)).rejects.toMatchObject({ code: 'not_found' });
  await expect(bob.getLecture(id)).rejects.toMatchObject({ code: 'not_found' });
  expect(await ada.getLecture(id)).toMatchObject({ courseId: null });
  const left = await t.blobs.list('people/');
  expect(left.filter((key) => key.endsWith(courseId))).toEqual([]);
});

test('list: newest first, the cursor goes through all; a damaged one hides no other', async () => {
  const dan = t.clientFor((await createKeyStore(t).create({ owner: 'dan', label: '' })).key);
  const store = createCourseStore(t);
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    const id = createId(Date.now() + i);
    const createdAt = new Date().toISOString();
    await store.create({ schemaVersion: 1, id, version: 1, owner: 'dan', title: `C${i}`, createdAt });
    ids.unshift(id);
  }
  await t.blobs.put(`courses/${ids[2]}/records/00000002.json`, Buffer.from('{'));
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await dan.listCourses({ limit: 2, ...(cursor !== '' && { cursor }) });
    seen.push(...page.courses.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  expect(seen).toEqual(ids.filter((_, i) => i !== 2));
  // Whose it is cannot be read either; others are told nothing of it.
  const damaged = String(ids[2]);
  await expect(dan.getCourse(damaged)).rejects.toMatchObject({ code: 'internal', status: 500 });
  await expect(ada.getCourse(damaged)).rejects.toMatchObject({ code: 'not_found', status: 404 });
});

test('change of a version that is no longer the newest: 412, and nothing is changed', async () => {
  const { id } = await ada.createCourse('First');
  expect(await ada.changeCourse(id, { title: 'Second' })).toMatchObject({ title: 'Second', version: 2 });
  const body = JSON.stringify({ title: 'Third' });
  const key = (await createKeyStore(t).create({ owner: 'ada', label: '' })).key;
  const headers = { 'content-type': 'application/json', 'x-api-key': key, 'if-match': '"1"' };
  const response = await fetch(`${t.url}/api/v1/courses/${id}`, { method: 'PATCH', headers, body });
  expect(response.status).toBe(412);
  await response.body?.cancel();
  expect(await ada.getCourse(id)).toMatchObject({ title: 'Second' });
});

test.each([
  ['an empty title', () => ada.createCourse(' '), 'invalid_request'],
  [
    'a name that no key can have',
    async () => ada.addMember((await ada.createCourse('A')).id, 'Bob Smith'),
    'invalid_request',
  ],
  ['herself', async () => ada.addMember((await ada.createCourse('A')).id, 'ada'), 'invalid_request'],
  [
    'an upload to a course that never was',
    () => ada.uploadLecture(toFile('x'), { courseId: createId() }),
    'unknown_course',
  ],
  [
    'a move to a course that never was',
    async () => ada.changeLecture((await makeLecture(t, { owner: 'ada' })).id, { courseId: createId() }),
    'unknown_course',
  ],
])('%s: refused, with a code', async (_, act, code) => {
  await expect(act()).rejects.toMatchObject({ code });
});

test('an upload that names no course of its owner leaves no file behind, wherever the field stands', async () => {
  const key = (await createKeyStore(t).create({ owner: 'ada', label: '' })).key;
  const before = await t.blobs.list('media/');
  for (const fields of [
    ['courseId', 'file'],
    ['file', 'courseId'],
  ]) {
    const form = new FormData();
    for (const name of fields) form.append(name, name === 'file' ? toFile('nowhere') : createId());
    const init = { method: 'POST', headers: { 'x-api-key': key }, body: form };
    expect((await fetch(`${t.url}/api/v1/lectures`, init)).status).toBe(422);
  }
  expect(await t.blobs.list('media/')).toEqual(before);
});
