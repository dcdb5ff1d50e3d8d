import { createHash } from 'node:crypto';
import { courseTopicsArtifactSchema, type KeptCourseTopics } from '@studymate/contracts/artifacts';
import type { CourseRecord } from '@studymate/contracts/course';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { type ArtifactReader, toJsonBytes } from './artifacts.ts';
import type { BlobStore } from './blob-store.ts';
import type { CourseStore } from './course-store.ts';
import { inBatches } from './in-batches.ts';
import { courseTopicsKey, courseTopicsPrefix, parseCourseTopicsKey, searchIndexKey } from './lecture-keys.ts';
import type { LectureStore } from './lecture-store.ts';
import { readUnlessDamaged } from './read-unless-damaged.ts';

/** The algorithm by which topics over a course are found: with the next one, all are made anew. */
const algorithm = 'course-topics@1';

/** Topics over the lectures of courses: a numbered version each time that they are made, of which the newest is kept. */
export interface CourseTopicsStore {
  /**
   * The newest version, with its number; null when there is none. One that is damaged reads as one without topics, whose
   * `nextId` is above all ids that can have been given.
   */
  read(courseId: string): Promise<VersionedCourseTopics | null>;
  /**
   * Writes the version after `after` (0: the first), and removes those before it.
   * @returns false, and nothing written, when there is a later one: what was made of an earlier one would give ids again
   */
  write(courseId: string, kept: KeptCourseTopics, after: number): Promise<boolean>;
  /**
   * The lectures of a course, the earliest first; those that cannot be read are left out.
   * @param ids the newest first, all those of the course among them; all lectures of its owner unless given
   */
  listLectures(course: CourseRecord, ids?: readonly string[]): Promise<LectureRecord[]>;
  /**
   * Removes topics of deleted courses. Of those that know of a lecture that was deleted or has left the course, all words,
   * centres and that lecture's passages go; their ids stay with the passages of the other lectures, by which the topics are
   * found again.
   * @returns of how many courses
   */
  collect(courses: Pick<CourseStore, 'read'>): Promise<number>;
}

export interface VersionedCourseTopics {
  version: number;
  kept: KeptCourseTopics;
}

/** More than are ever found at once: no version gives so many new ids. */
const mostNewIds = 100;
/** A version that was listed may be gone when it is read, because the next was written. */
const maxReads = 10;

export function createCourseTopicsStore(deps: {
  blobs: BlobStore;
  artifacts: Pick<ArtifactReader, 'readArtifact'>;
  lectures: Pick<LectureStore, 'listIds' | 'read'>;
}): CourseTopicsStore {
  const { blobs, artifacts, lectures } = deps;

  const listVersions = async (courseId: string): Promise<number[]> => {
    const keys = await blobs.list(courseTopicsPrefix(courseId));
    return keys.flatMap((key) => parseCourseTopicsKey(key)?.version ?? []);
  };

  const read: CourseTopicsStore['read'] = async (courseId) => {
    for (let tries = 1; tries <= maxReads; tries++) {
      const version = (await listVersions(courseId)).at(-1);
      if (version === undefined) return null;
      const key = courseTopicsKey(courseId, version);
      const readKept = () => artifacts.readArtifact(key, courseTopicsArtifactSchema);
      const kept = await readUnlessDamaged({ read: readKept }, key);
      if (kept === undefined) return { version, kept: withoutTopics(version * mostNewIds) };
      if (kept !== null) return { version, kept };
    }
    throw new AppError('storage_unavailable', 'The topics of the course are being written again and again.');
  };

  const write: CourseTopicsStore['write'] = async (courseId, kept, after) => {
    const versions = await listVersions(courseId);
    // A deleted later one must not make room for an earlier writer.
    if ((versions.at(-1) ?? 0) > after) return false;
    const bytes = toJsonBytes(courseTopicsArtifactSchema.parse(kept));
    if (!(await blobs.create(courseTopicsKey(courseId, after + 1), bytes))) return false;
    for (const version of versions) await blobs.delete(courseTopicsKey(courseId, version));
    return true;
  };

  const listLectures: CourseTopicsStore['listLectures'] = async (course, given) => {
    const ids = given ?? (await lectures.listIds(course.owner, { limit: Number.POSITIVE_INFINITY }));
    const records = await inBatches(ids.toReversed(), (id) => readUnlessDamaged(lectures, id));
    return records.flatMap((record) => (record && isOfCourse(record, course.id) ? [record] : []));
  };

  return {
    read,
    listLectures,
    write,
    async collect(courses) {
      const courseIds = new Set<string>();
      for await (const key of blobs.walk(courseTopicsPrefix())) {
        const parsed = parseCourseTopicsKey(key);
        if (parsed) courseIds.add(parsed.courseId);
      }
      let removed = 0;
      for (const courseId of courseIds) {
        if (await collectOne(courseId, courses)) removed++;
      }
      return removed;
    },
  };

  async function collectOne(courseId: string, courses: Pick<CourseStore, 'read'>): Promise<boolean> {
    if (!(await readUnlessDamaged(courses, courseId))) {
      await blobs.deletePrefix(courseTopicsPrefix(courseId));
      return true;
    }
    const newest = await read(courseId);
    if (newest === null) return false;
    const stay: KeptCourseTopics['lectures'] = [];
    for (const lecture of newest.kept.lectures) {
      const record = await readUnlessDamaged(lectures, lecture.lectureId);
      if (record && isOfCourse(record, courseId)) stay.push(lecture);
    }
    if (stay.length === newest.kept.lectures.length) return false;
    return write(courseId, withoutWords(newest.kept, stay), newest.version);
  }
}

/** No hash of any input, and nothing fitted: the topics must be found anew. */
function withoutTopics(nextId: number): KeptCourseTopics {
  return { schemaVersion: 1, inputHash: '', weights: '', fittedPassages: 0, nextId, topics: [], lectures: [] };
}

function withoutWords(kept: KeptCourseTopics, lectures: KeptCourseTopics['lectures']): KeptCourseTopics {
  const topics = kept.topics.map(({ id }) => ({ id, label: '', terms: [], centre: [], leastCosine: 0 }));
  return { ...withoutTopics(kept.nextId), weights: kept.weights, topics, lectures };
}

function isOfCourse(record: LectureRecord, courseId: string): boolean {
  return record.courseId === courseId && record.transientUntil === undefined;
}

/** The index of which a lecture's part in the topics is made; null while there is none. */
export function toTopicSource(record: LectureRecord): string | null {
  const pinned = record.artifacts.chapters;
  return pinned === undefined ? null : searchIndexKey(record.id, pinned.attempt);
}

/** By which it is seen whether what is kept is of today's lectures. */
export function toTopicsInputHash(sources: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([algorithm, [...sources].sort()]))
    .digest('hex')
    .slice(0, 32);
}
