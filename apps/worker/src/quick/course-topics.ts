import { passagesArtifactSchema } from '@studymate/contracts/artifacts';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { ArtifactReader } from '@studymate/storage/artifacts';
import type { CourseStore } from '@studymate/storage/course-store';
import { type CourseTopicsStore, toTopicSource, toTopicsInputHash } from '@studymate/storage/course-topics-store';
import { passagesKey } from '@studymate/storage/lecture-keys';
import type { CourseLecture } from '@studymate/study/course-topics';
import { parseIndexBytes } from '@studymate/study/search/index-bytes';
import type { StudyProcess } from '../study-process/study-process.ts';
import { unlessDamaged } from '../unless-damaged.ts';

export interface CourseTopicsDeps {
  courses: Pick<CourseStore, 'read'>;
  courseTopics: CourseTopicsStore;
  artifacts: ArtifactReader;
  /** The one of lectures: short texts do not wait for a whole course. */
  studyProcess: StudyProcess;
}

/** So much is read of a course; the latest lectures are what is left out. */
const maxPassages = 60_000;

/**
 * Finds the topics over a course's lectures and keeps them, unless what is kept is of today's lectures. Needs no model: a
 * lecture's index has a vector for each of its passages.
 * @throws AppError `not_found` when the course is gone
 */
export async function keepCourseTopics(
  deps: CourseTopicsDeps,
  { courseId }: { courseId: string },
  signal: AbortSignal,
): Promise<null> {
  const { courseTopics } = deps;
  const course = await deps.courses.read(courseId);
  if (!course) throw new AppError('not_found', 'There is no such course.');
  const records = await courseTopics.listLectures(course);
  const inputHash = toTopicsInputHash(records.flatMap((record) => toTopicSource(record) ?? []));
  const newest = await courseTopics.read(courseId);
  const earlier = newest?.kept ?? null;
  if (earlier?.inputHash === inputHash) return null;
  const { lectures, weights } = await readLectures(deps.artifacts, records);
  const kept = await deps.studyProcess.run('courseTopics', { lectures, weights, inputHash, earlier }, signal);
  // Where another was quicker, its topics have the ids.
  await courseTopics.write(courseId, kept, newest?.version ?? 0);
  return null;
}

/** Those with an index, of the weights that most of their passages are of: others cannot be compared. */
async function readLectures(
  artifacts: ArtifactReader,
  records: readonly LectureRecord[],
): Promise<{ lectures: CourseLecture[]; weights: string }> {
  const byWeights = new Map<string, CourseLecture[]>();
  let total = 0;
  for (const record of records) {
    const found = await readLecture(artifacts, record);
    if (!found) continue;
    if (total + found.lecture.passages.length > maxPassages) break;
    total += found.lecture.passages.length;
    byWeights.set(found.weights, [...(byWeights.get(found.weights) ?? []), found.lecture]);
  }
  const count = (lectures: CourseLecture[]) => lectures.reduce((sum, { passages }) => sum + passages.length, 0);
  const [most] = [...byWeights].sort((a, b) => count(b[1]) - count(a[1]));
  return { weights: most?.[0] ?? '', lectures: most?.[1] ?? [] };
}

async function readLecture(
  artifacts: ArtifactReader,
  record: LectureRecord,
): Promise<{ lecture: CourseLecture; weights: string } | null> {
  const source = toTopicSource(record);
  const attempt = record.artifacts.chapters?.attempt;
  if (source === null || attempt === undefined) return null;
  const read = async () => {
    const bytes = await artifacts.readBytes(source);
    return bytes && parseIndexBytes(bytes);
  };
  const index = await unlessDamaged(read());
  const kept = await unlessDamaged(artifacts.readArtifact(passagesKey(record.id, attempt), passagesArtifactSchema));
  if (!index || !kept || kept.content.passages.length !== index.vectors.scales.length) return null;
  const { language, weights, vectors } = index;
  const passages = kept.content.passages.map(({ start, end, text }) => ({ start, end, text }));
  return { weights, lecture: { lectureId: record.id, source, language, passages, vectors } };
}
