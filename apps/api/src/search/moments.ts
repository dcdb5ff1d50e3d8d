import { chaptersArtifactSchema, passagesArtifactSchema } from '@studymate/contracts/artifacts';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { Moment } from '@studymate/contracts/search';
import type { Chapter } from '@studymate/contracts/study';
import type { ArtifactReader } from '@studymate/storage/artifacts';
import { passagesKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { readUnlessDamaged } from '@studymate/storage/read-unless-damaged';
import type { Passage } from '@studymate/study/search/passages';
import type { LecturePart } from './load-lecture.ts';
import { isPartOfNow, toIndexedName } from './part-names.ts';
import type { ReadableLectures } from './readable-lectures.ts';

/** A passage that was found, by its place in a part of a lecture. */
export interface Found {
  part: LecturePart;
  row: number;
  score: number;
}

/** What of a lecture is kept beside its index. */
export interface KeptPassages {
  passages: readonly Passage[];
  /** By which the embeddings of its sentences are known; null where there are none. */
  inputHash: string | null;
}

export interface Described {
  found: Found;
  record: LectureRecord;
  passage: Passage;
  inputHash: string | null;
  moment: Moment;
}

export interface Moments {
  /** The passages of a part, as they were cut. @returns null when they are gone, damaged, or of a text that is not today's */
  read(part: LecturePart, record: LectureRecord): Promise<KeptPassages | null>;
  /**
   * Passages as they are shown. Whether they may be shown is asked of the records as they are now: what was deleted, moved to
   * another course or made anew since the library was read is left out.
   * @param found best first @returns at most `limit`, in the same order
   */
  describe(
    found: readonly Found[],
    options: { owner: string; courseId: string | undefined; limit: number },
  ): Promise<Described[]>;
}

const maxKeptLectures = 64;
/** Titles are of the level that is shown first. */
const titleLevel: Chapter['level'] = 'general';

export function createMoments(deps: {
  lectures: LectureStore;
  artifacts: ArtifactReader;
  readable: ReadableLectures;
  /** Told of a lecture that is not as the library has it. */
  onChanged(lectureId: string): void;
}): Moments {
  const { lectures, artifacts, readable } = deps;
  /** By the part's name; the one that was read last is the last. What they hold never changes. */
  const kept = new Map<string, KeptPassages>();

  const read: Moments['read'] = async (part, record) => {
    const { passages, inputHash } = part;
    if (passages) return isPartOfNow(part.name, record) ? { passages, inputHash } : null;
    const attempt = record.artifacts.chapters?.attempt;
    // Rows of one attempt's index say nothing of another's passages.
    if (attempt === undefined || part.name !== toIndexedName(record)) return null;
    const known = kept.get(part.name);
    kept.delete(part.name);
    const readPassages = (key: string) => artifacts.readArtifact(key, passagesArtifactSchema);
    const found = known ?? (await readUnlessDamaged({ read: readPassages }, passagesKey(record.id, attempt)))?.content;
    if (!found) return null;
    kept.set(part.name, found);
    for (const oldest of kept.keys()) if (kept.size > maxKeptLectures) kept.delete(oldest);
    return found;
  };

  const readChapters = async (record: LectureRecord): Promise<Chapter[]> => {
    const pinned = record.artifacts.chapters;
    if (!pinned) return [];
    const read = (key: string) => artifacts.readArtifact(key, chaptersArtifactSchema);
    const chapters = await readUnlessDamaged({ read }, pinned.key);
    return chapters?.content.filter(({ level }) => level === titleLevel) ?? [];
  };

  return {
    read,
    async describe(found, { owner, courseId, limit }) {
      const records = new Map<string, Promise<LectureRecord | null>>();
      const readRecord = (lectureId: string): Promise<LectureRecord | null> => {
        const known = records.get(lectureId) ?? readOne(lectureId);
        records.set(lectureId, known);
        return known;
      };
      const readOne = async (lectureId: string): Promise<LectureRecord | null> => {
        const record = await readUnlessDamaged(lectures, lectureId);
        return record && (await readable.canRead(owner, record)) ? record : null;
      };
      const chapters = new Map<string, Promise<Chapter[]>>();
      const chaptersOf = (record: LectureRecord): Promise<Chapter[]> => {
        const known = chapters.get(record.id) ?? readChapters(record);
        chapters.set(record.id, known);
        return known;
      };
      const describeOne = async (each: Found): Promise<Described | null> => {
        const record = await readRecord(each.part.lectureId);
        const kept = record && (await read(each.part, record));
        const passage = kept?.passages[each.row];
        if (!record || !kept || !passage || (courseId !== undefined && record.courseId !== courseId)) {
          deps.onChanged(each.part.lectureId);
          return null;
        }
        // All that was said there has been corrected away.
        if (passage.text === '') return null;
        const own = (await chaptersOf(record)).findLast(({ start }) => start <= passage.start);
        const moment = {
          lectureId: record.id,
          title: record.title,
          courseId: record.courseId,
          chapterTitle: own?.title ?? null,
          startSeconds: passage.start,
          endSeconds: passage.end,
          text: passage.text,
          score: each.score,
        };
        return { found: each, record, passage, inputHash: kept.inputHash, moment };
      };
      const described: Described[] = [];
      for (let i = 0; i < found.length && described.length < limit; i += limit) {
        const batch = await Promise.all(found.slice(i, i + limit).map(describeOne));
        for (const each of batch) if (each) described.push(each);
      }
      return described.slice(0, limit);
    },
  };
}
