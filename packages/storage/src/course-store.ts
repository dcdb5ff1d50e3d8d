import { type CourseRecord, courseRecordSchema } from '@studymate/contracts/course';
import { AppError } from '@studymate/contracts/errors';
import { idSchema } from '@studymate/contracts/ids';
import { parseJson, parseStored, toJsonBytes } from './artifacts.ts';
import type { BlobStore } from './blob-store.ts';
import { dropOldVersions } from './drop-old-versions.ts';
import { inBatches } from './in-batches.ts';
import {
  courseMemberKey,
  courseMembersPrefix,
  courseRecordKey,
  courseRecordsPrefix,
  deletionVersion,
  personCourseKey,
  personCoursesPrefix,
} from './lecture-keys.ts';
import { courseUpgrades } from './schema-upgrades.ts';

/** Courses over a blob store: numbered record versions as lectures have them, and a blob for each member. */
export interface CourseStore {
  /** Writes version 1 of a record. @returns false, and nothing written, when there is (or was) a course of that id */
  create(record: CourseRecord): Promise<boolean>;
  /** The newest version; null when there is none, it was deleted, or the id is none. */
  read(courseId: string): Promise<CourseRecord | null>;
  /** As `LectureStore.update`. @param change must be pure */
  update(courseId: string, change: (record: CourseRecord) => CourseRecord): Promise<CourseRecord | null>;
  /** Ids of courses that a person owns or is a member of, newest first; some may be gone by now. */
  listIds(person: string, options: { after?: string; limit: number; relation?: 'owned' | 'shared' }): Promise<string[]>;
  /** One small read, whether or not the course is still there. */
  isMember(courseId: string, person: string): Promise<boolean>;
  /** Names, in order. */
  listMembers(courseId: string): Promise<string[]>;
  /** Doing it twice changes nothing. @returns false when there is no such course */
  addMember(courseId: string, person: string): Promise<boolean>;
  removeMember(courseId: string, person: string): Promise<void>;
  /** From the first step on the course reads as null, for good. */
  delete(courseId: string): Promise<void>;
  /** Does the rest of a deletion that a dead process left half-way; a course that is there stays. */
  finishDeletion(courseId: string): Promise<void>;
}

const maxUpdateTries = 100;

interface StoredName {
  name: string;
}

export function createCourseStore(deps: { blobs: BlobStore }): CourseStore {
  const { blobs } = deps;

  const listVersions = async (courseId: string): Promise<number[]> => {
    const keys = await blobs.list(courseRecordsPrefix(courseId));
    return keys.map((key) => Number(/(\d{8})\.json$/.exec(key)?.[1])).filter((version) => version > 0);
  };

  /** @returns the record with the numbers of all its versions, ascending */
  const readNewest = async (courseId: string): Promise<{ record: CourseRecord; versions: number[] } | null> => {
    if (!idSchema.safeParse(courseId).success) return null;
    for (;;) {
      const versions = await listVersions(courseId);
      const newest = versions.at(-1);
      if (newest === undefined || newest === deletionVersion) return null;
      const key = courseRecordKey(courseId, newest);
      const bytes = await blobs.read(key);
      // Gone between listing and reading: it is being deleted, or there are many newer ones; the next listing tells.
      if (bytes) return { record: parseStored(key, bytes, courseRecordSchema, courseUpgrades), versions };
    }
  };

  const read = async (courseId: string): Promise<CourseRecord | null> => (await readNewest(courseId))?.record ?? null;

  const readName = async (key: string): Promise<string | null> => {
    const bytes = await blobs.read(key);
    return bytes && parseJson(key, bytes, storedNameSchema).name;
  };

  const isMember = async (courseId: string, person: string): Promise<boolean> =>
    idSchema.safeParse(courseId).success && (await readName(courseMemberKey(courseId, person))) === person;

  const listMembers = async (courseId: string): Promise<string[]> => {
    const names = await inBatches(await blobs.list(courseMembersPrefix(courseId)), readName);
    return names.filter((name) => name !== null).sort();
  };

  const removeMember = async (courseId: string, person: string): Promise<void> => {
    // The right first, the mark by which it is listed last.
    await blobs.delete(courseMemberKey(courseId, person));
    await blobs.delete(personCourseKey(person, 'shared', courseId));
    // Added again meanwhile: then the mark must not be the one that was taken away.
    if (await isMember(courseId, person))
      await blobs.create(personCourseKey(person, 'shared', courseId), new Uint8Array());
  };

  const finishDeletion = async (courseId: string): Promise<void> => {
    if (!idSchema.safeParse(courseId).success) return;
    const owner = await readName(courseRecordKey(courseId, deletionVersion));
    if (owner === null) return;
    for (const member of await listMembers(courseId)) await removeMember(courseId, member);
    for (const version of await listVersions(courseId)) {
      if (version !== deletionVersion) await blobs.delete(courseRecordKey(courseId, version));
    }
    // Last: as long as it is there, the deletion can be found and finished.
    await blobs.delete(personCourseKey(owner, 'owned', courseId));
  };

  return {
    read,
    isMember,
    listMembers,
    removeMember,
    async create(record) {
      const bytes = toJsonBytes(courseRecordSchema.parse(record));
      // Its first version may have been dropped.
      if ((await listVersions(record.id)).length > 0) return false;
      const mark = personCourseKey(record.owner, 'owned', record.id);
      await blobs.create(mark, new Uint8Array());
      const isNew = await blobs.create(courseRecordKey(record.id, 1), bytes);
      if (!isNew) return false;
      if ((await blobs.stat(courseRecordKey(record.id, deletionVersion))) === null) return true;
      await blobs.delete(courseRecordKey(record.id, 1));
      await blobs.delete(mark);
      return false;
    },
    async update(courseId, change) {
      for (let tries = 1; tries <= maxUpdateTries; tries++) {
        const found = await readNewest(courseId);
        if (!found) return null;
        const { record: current, versions } = found;
        const changed = change(current);
        if (changed === current) return current;
        const next = courseRecordSchema.parse({ ...changed, version: current.version + 1 });
        const key = courseRecordKey(courseId, next.version);
        if (!(await blobs.create(key, toJsonBytes(next)))) continue;
        const [deletion, before] = await Promise.all([
          blobs.stat(courseRecordKey(courseId, deletionVersion)),
          blobs.stat(courseRecordKey(courseId, current.version)),
        ]);
        if (deletion === null && before !== null) {
          await dropOldVersions(blobs, versions, (old) => courseRecordKey(courseId, old));
          return next;
        }
        await blobs.delete(key);
        if (deletion !== null) return null;
        // So late that this number had been taken, and was dropped with the one before it.
      }
      throw new AppError('storage_unavailable', `Course ${courseId} could not be written: too many writers at once.`);
    },
    async listIds(person, { after, limit, relation }) {
      const relations = relation ? [relation] : (['owned', 'shared'] as const);
      const keys = await Promise.all(relations.map((each) => blobs.list(personCoursesPrefix(person, each))));
      const ids = [...new Set(keys.flat().map((key) => key.slice(key.lastIndexOf('/') + 1)))].sort().reverse();
      return (after === undefined ? ids : ids.filter((id) => id < after)).slice(0, Math.max(0, limit));
    },
    async addMember(courseId, person) {
      if (!(await read(courseId))) return false;
      await blobs.create(personCourseKey(person, 'shared', courseId), new Uint8Array());
      await blobs.create(courseMemberKey(courseId, person), toJsonBytes({ name: person } satisfies StoredName));
      // Once more: a removal at the same time may have taken the mark, and a deletion has not seen the member.
      await blobs.create(personCourseKey(person, 'shared', courseId), new Uint8Array());
      if (await read(courseId)) return true;
      await removeMember(courseId, person);
      return false;
    },
    finishDeletion,
    async delete(courseId) {
      const record = await read(courseId);
      if (record) {
        const tomb: StoredName = { name: record.owner };
        await blobs.create(courseRecordKey(courseId, deletionVersion), toJsonBytes(tomb));
      }
      await finishDeletion(courseId);
    },
  };
}

const storedNameSchema = {
  safeParse(value: unknown): { success: true; data: StoredName } | { success: false; error: { message: string } } {
    const { name } = (value ?? {}) as { name?: unknown };
    return typeof name === 'string'
      ? { success: true, data: { name } }
      : { success: false, error: { message: 'it has no name' } };
  },
};
