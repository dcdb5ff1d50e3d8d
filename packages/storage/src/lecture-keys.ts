import { createHash } from 'node:crypto';
import type { StageName } from '@studymate/contracts/stages';

/**
 * The layout of the blob store, in this one place.
 *
 *   media/<uploadId>
 *   lectures/<id>/records/<8-digit version>.json
 *   lectures/<id>/<stage>/<attempt>/<name>
 *   lectures/<id>/runs/<stage>/<attempt>/<part>-<run>
 *   lectures/<id>/callbacks/<end>: what became of telling it
 *   lectures/<id>/reviews/<person>/<8-digit version>.json: review-store.ts
 *   lectures/<id>/edits/<8-digit version>.json: transcript-edit-store.ts
 *   owners/<owner>/lectures/<id>
 *   owners/<owner>/media/<sha256>/<id>
 *   uploads/<owner>/<id>/upload.json, finished.json and lecture.json: upload-store.ts
 *   clips/<id>
 *   transient/<id of a lecture>
 *   keys/<id>/key.json and revoked.json: key-store.ts
 *   courses/<id>/records/<8-digit version>.json
 *   courses/<id>/members/<person>
 *   claims/<day>/<sha256>: claims.ts
 *   conversations/<owner>/<id>-<6-digit turn>.json: conversation-store.ts
 *   people/<person>/owned/<id of a course> and shared/<id of a course>
 */
export const lecturesPrefix = 'lectures/';
export const ownersPrefix = 'owners/';
export const mediaPrefix = 'media/';
export const uploadsPrefix = 'uploads/';
export const clipsPrefix = 'clips/';
/** Marks of lectures that were made for one request and will be removed. */
export const transientPrefix = 'transient/';

/** Takes the place of a record's last version when its lecture is deleted, so one listing tells both. */
export const deletionVersion = 99_999_999;

export function mediaKey(uploadId: string): string {
  return `${mediaPrefix}${uploadId}`;
}

/** A clip that was sent with a request, kept while the request lasts. */
export function clipKey(clipId: string): string {
  return `${clipsPrefix}${clipId}`;
}

export function lecturePrefix(lectureId: string): string {
  return `${lecturesPrefix}${lectureId}/`;
}

export function recordsPrefix(lectureId: string): string {
  return `${lecturePrefix(lectureId)}records/`;
}

export function recordKey(lectureId: string, version: number): string {
  return `${recordsPrefix(lectureId)}${String(version).padStart(8, '0')}.json`;
}

/** @returns the version that a record's key names, or null for any other key */
export function parseRecordKey(key: string): number | null {
  const match = /^lectures\/[^/]+\/records\/(\d{8})\.json$/.exec(key);
  return match ? Number(match[1]) : null;
}

export function runMarksPrefix(lectureId: string): string {
  return `${lecturePrefix(lectureId)}runs/`;
}

/** The mark of one run of a stage's job; see run-fence.ts. */
export function runMarkKey(lectureId: string, job: RunPlace, run: number): string {
  return `${runMarksPrefix(lectureId)}${job.stage}/${job.attempt}/${job.part}-${run}`;
}

/** Which runs share one numbering. */
export interface RunPlace {
  stage: StageName;
  attempt: number;
  part: number;
}

/** @returns the stage and attempt that a run's mark belongs to, or null for any other key */
export function parseRunMarkKey(key: string): { stage: string; attempt: number } | null {
  const [, stage, attempt] = /^lectures\/[^/]+\/runs\/([a-z]+)\/(\d+)\/\d+-\d+$/.exec(key) ?? [];
  return stage === undefined ? null : { stage, attempt: Number(attempt) };
}

/** What became of telling an end of the lecture. @param mark `toEndMark` */
export function callbackNoteKey(lectureId: string, mark: number): string {
  return `${lecturePrefix(lectureId)}callbacks/${mark}`;
}

/** Versions of what a person has answered to the lecture's flashcards. */
export function reviewsPrefix(lectureId: string, person: string): string {
  return `${lecturePrefix(lectureId)}reviews/${ownerPart(person)}/`;
}

export function reviewsKey(lectureId: string, person: string, version: number): string {
  return `${reviewsPrefix(lectureId, person)}${String(version).padStart(8, '0')}.json`;
}

/** Versions of the transcript's text that people have made. */
export function transcriptEditsPrefix(lectureId: string): string {
  return `${lecturePrefix(lectureId)}edits/`;
}

export function transcriptEditKey(lectureId: string, version: number): string {
  return `${transcriptEditsPrefix(lectureId)}${String(version).padStart(8, '0')}.json`;
}

/** @returns the version that an edit's key names, or null for any other key */
export function parseTranscriptEditKey(key: string): number | null {
  const match = /^lectures\/[^/]+\/edits\/(\d{8,})\.json$/.exec(key);
  return match ? Number(match[1]) : null;
}

/** All attempts of a stage. */
export function stagePrefix(lectureId: string, stage: StageName): string {
  return `${lecturePrefix(lectureId)}${stage}/`;
}

export function attemptPrefix(lectureId: string, stage: StageName, attempt: number): string {
  return `${stagePrefix(lectureId, stage)}${attempt}/`;
}

/** Description of a cut chunk (chunkSchema); a chunk counts as cut only when this exists. */
export function chunkKey(lectureId: string, attempt: number, index: number): string {
  return `${attemptPrefix(lectureId, 'ingest', attempt)}${chunkName(index)}.json`;
}

/** A chunk's samples (signed 16-bit little-endian, 16 kHz mono, its windows back to back). Written first. */
export function chunkSamplesKey(lectureId: string, attempt: number, index: number): string {
  return `${attemptPrefix(lectureId, 'ingest', attempt)}${chunkName(index)}.pcm`;
}

export function ingestManifestKey(lectureId: string, attempt: number): string {
  return `${attemptPrefix(lectureId, 'ingest', attempt)}manifest.json`;
}

export function transcribedChunkKey(lectureId: string, attempt: number, index: number): string {
  return `${attemptPrefix(lectureId, 'transcribe', attempt)}${chunkName(index)}.json`;
}

export function transcriptKey(lectureId: string, attempt: number): string {
  return `${attemptPrefix(lectureId, 'assemble', attempt)}transcript.json`;
}

/**
 * Sentence embeddings of the transcript, 32-bit floats, little-endian.
 * @param inputHash of the sentences and the weights they were made with: others have other embeddings
 */
export function embeddingsKey(lectureId: string, attempt: number, inputHash: string): string {
  return `${attemptPrefix(lectureId, 'assemble', attempt)}embeddings-${inputHash}.f32`;
}

/** The result of a study stage: chapters, topics, summary or flashcards. */
export function studyArtifactKey(lectureId: string, stage: StageName, attempt: number): string {
  return `${attemptPrefix(lectureId, stage, attempt)}${stage}.json`;
}

/** The passages of a lecture (passagesArtifactSchema), made with its chapters. */
export function passagesKey(lectureId: string, chaptersAttempt: number): string {
  return `${attemptPrefix(lectureId, 'chapters', chaptersAttempt)}passages.json`;
}

/** The index by which they are found; its form is in packages/study/src/search/index-bytes.ts. */
export function searchIndexKey(lectureId: string, chaptersAttempt: number): string {
  return `${attemptPrefix(lectureId, 'chapters', chaptersAttempt)}search-index.bin`;
}

/** Topics over the lectures of a course; of all courses without one. */
export function courseTopicsPrefix(courseId?: string): string {
  return courseId === undefined ? 'course-topics/' : `course-topics/${courseId}/`;
}

export function courseTopicsKey(courseId: string, version: number): string {
  return `${courseTopicsPrefix(courseId)}${String(version).padStart(8, '0')}.json`;
}

/** @returns which course and version a key names, or null for any other key */
export function parseCourseTopicsKey(key: string): { courseId: string; version: number } | null {
  const [, courseId, version] = /^course-topics\/([^/]+)\/(\d{8,})\.json$/.exec(key) ?? [];
  return courseId === undefined ? null : { courseId, version: Number(version) };
}

/** @returns the number of the chunk that a "…/chunk-0007.json" key names, or null for any other key */
export function parseChunkKey(key: string): number | null {
  const match = /\/chunk-(\d{4,})\.json$/.exec(key);
  return match ? Number(match[1]) : null;
}

function chunkName(index: number): string {
  return `chunk-${String(index).padStart(4, '0')}`;
}

export const claimsPrefix = 'claims/';

/** @param day days since 1970 */
export function claimKey(day: number, name: string): string {
  return `${claimsPrefix}${day}/${name}`;
}

export function courseRecordsPrefix(courseId: string): string {
  return `courses/${courseId}/records/`;
}

export function courseRecordKey(courseId: string, version: number): string {
  return `${courseRecordsPrefix(courseId)}${String(version).padStart(8, '0')}.json`;
}

export function courseMembersPrefix(courseId: string): string {
  return `courses/${courseId}/members/`;
}

export function courseMemberKey(courseId: string, person: string): string {
  return `${courseMembersPrefix(courseId)}${ownerPart(person)}`;
}

/** Marks of the courses that a person owns, and of those that others share with them. */
export function personCoursesPrefix(person: string, relation: 'owned' | 'shared'): string {
  return `people/${ownerPart(person)}/${relation}/`;
}

export function personCourseKey(person: string, relation: 'owned' | 'shared', courseId: string): string {
  return `${personCoursesPrefix(person, relation)}${courseId}`;
}

/** An owner's name as a part of a key: itself when it can be one, else a hash with a "." that no such name has. */
function ownerPart(owner: string): string {
  if (/^[A-Za-z0-9_-]{1,100}$/.test(owner)) return owner;
  return `sha256.${createHash('sha256').update(owner).digest('hex')}`;
}

/** What an owner has asked. */
export function conversationsPrefix(owner: string): string {
  return `conversations/${ownerPart(owner)}/`;
}

export function conversationTurnKey(owner: string, conversationId: string, turn: number): string {
  return `${conversationsPrefix(owner)}${conversationId}-${String(turn).padStart(6, '0')}.json`;
}

/** @returns the conversation and turn that a key names, or null for any other key */
export function parseConversationTurnKey(key: string): { id: string; turn: number } | null {
  const [, id, turn] = /^conversations\/[^/]+\/([0-9a-z]{26})-(\d{6,})\.json$/.exec(key) ?? [];
  return id === undefined ? null : { id, turn: Number(turn) };
}

export function ownerUploadsPrefix(owner: string): string {
  return `${uploadsPrefix}${ownerPart(owner)}/`;
}

/** What is known of a resumable upload. */
export function uploadKey(owner: string, uploadId: string, name: UploadFileName): string {
  return `${ownerUploadsPrefix(owner)}${uploadId}/${name}.json`;
}

export type UploadFileName = 'upload' | 'finished' | 'lecture';

/** @returns which upload a key belongs to, or null for any other key */
export function parseUploadKey(key: string): { id: string; name: UploadFileName } | null {
  const [, id, name] = /^uploads\/[^/]+\/([^/]+)\/(upload|finished|lecture)\.json$/.exec(key) ?? [];
  return id === undefined ? null : { id, name: name as UploadFileName };
}

export function ownerLecturesPrefix(owner: string): string {
  return `${ownersPrefix}${ownerPart(owner)}/lectures/`;
}

export function ownerMarkKey(owner: string, lectureId: string): string {
  return `${ownerLecturesPrefix(owner)}${lectureId}`;
}

/** Marks of an owner's lectures with the same recording. @param sha256 hex */
export function ownerMediaPrefix(owner: string, sha256: string): string {
  return `${ownersPrefix}${ownerPart(owner)}/media/${sha256}/`;
}

export function ownerMediaMarkKey(owner: string, sha256: string, lectureId: string): string {
  return `${ownerMediaPrefix(owner, sha256)}${lectureId}`;
}
