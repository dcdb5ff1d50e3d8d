import { transcribedChunkSchema, transcriptArtifactSchema } from '@studymate/contracts/artifacts';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { pathStageNames } from '@studymate/contracts/stages';
import type { Transcript } from '@studymate/contracts/transcript';
import { attemptOf, hasFailed, isSettled } from '@studymate/queue/next-jobs';
import type { ArtifactReader } from '@studymate/storage/artifacts';
import { searchIndexKey, transcribedChunkKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import type { Dictionary } from '@studymate/study/search/dictionary';
import { parseIndexBytes, type SearchIndex } from '@studymate/study/search/index-bytes';
import { buildKeywordIndexSlowly } from '@studymate/study/search/keyword-index';
import { cutPassages, type Passage } from '@studymate/study/search/passages';
import type { Breathe } from '@studymate/study/search/search-shards';
import { createSearchWords } from '@studymate/study/search/search-words';
import { type Shard, toShard } from '@studymate/study/search/shard';
import { eachTimedSentence, type TimedSentence } from '@studymate/study/sentences';

/** Some passages of a lecture: all of them, or those of one chunk while it is still being transcribed. */
export interface LecturePart {
  lectureId: string;
  /** Of what it was made; the same name, the same part. */
  name: string;
  shard: Shard;
  language: string;
  /** Of whose sentences the vectors are made; null while there are none. */
  weights: string | null;
  /** Row by row; null where they lie in the store. */
  passages: readonly Passage[] | null;
}

export interface LoadedLecture {
  lectureId: string;
  courseId: string | null;
  parts: readonly LecturePart[];
  /** Whether more of it can be found soon: it is still being worked on. */
  isGrowing: boolean;
}

interface Deps {
  artifacts: ArtifactReader;
  lectures: Pick<LectureStore, 'readIndex'>;
  /** Does the work when all that was given before has ended: what has no index costs the thread some time each. */
  oneAtATime<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * What of a lecture can be searched as it stands: by the index that was made with its chapters; else by the words of its
 * transcript; else by those of the chunks that are transcribed so far.
 * @param before what was loaded of it last: parts that are the same are taken over
 */
export async function loadLecture(
  deps: Deps,
  record: LectureRecord,
  dictionary: Dictionary,
  before: LoadedLecture | undefined,
  breathe: Breathe,
): Promise<LoadedLecture> {
  const loaded = (parts: readonly LecturePart[], isGrowing: boolean): LoadedLecture => ({
    lectureId: record.id,
    courseId: record.courseId,
    parts,
    isGrowing,
  });
  /** A part without an index, from its text. */
  const make = (key: string, read: typeof readTranscript): Promise<LecturePart | null> =>
    deps.oneAtATime(async () => {
      const transcript = await read(deps, key);
      await breathe();
      return transcript && toPart(record.id, key, transcript, dictionary, breathe);
    });
  const known = new Map(before?.parts.map((part) => [part.name, part]));
  const { chapters, assemble } = record.artifacts;
  if (chapters) {
    const key = searchIndexKey(record.id, chapters.attempt);
    const part = known.get(key) ?? (await readIndexed(deps, record.id, key, dictionary));
    if (part) return loaded([part], false);
  }
  // Until the chapters are there the chunks will do: they are loaded already, and the index comes soon.
  if (assemble && isSettled(record, 'chapters')) {
    const part = known.get(assemble.key) ?? (await make(assemble.key, readTranscript));
    return loaded(part ? [part] : [], false);
  }
  const attempt = attemptOf(record, 'transcribe');
  const parts: LecturePart[] = [];
  for (const chunk of (await deps.lectures.readIndex(record)).transcribedChunks) {
    const key = transcribedChunkKey(record.id, attempt, chunk);
    const part = known.get(key) ?? (await make(key, readChunk));
    if (part) parts.push(part);
    await breathe();
  }
  const isAtWork = !isSettled(record, 'assemble') && !pathStageNames.some((stage) => hasFailed(record, stage));
  return loaded(parts, assemble !== undefined || isAtWork);
}

async function readIndexed(
  { artifacts }: Deps,
  lectureId: string,
  key: string,
  dictionary: Dictionary,
): Promise<LecturePart | null> {
  const bytes = await artifacts.readBytes(key);
  const index = bytes && parseUnlessDamaged(bytes);
  if (!index) return null;
  const { language, weights, keywords, vectors } = index;
  const shard = toShard(keywords, vectors, dictionary);
  return { lectureId, name: key, shard, language, weights, passages: null };
}

/** One that is damaged is as good as none: the words of the transcript are still there. */
function parseUnlessDamaged(bytes: Uint8Array): SearchIndex | null {
  try {
    return parseIndexBytes(bytes);
  } catch {
    return null;
  }
}

async function readTranscript({ artifacts }: Deps, key: string): Promise<Transcript | null> {
  return (await artifacts.readArtifact(key, transcriptArtifactSchema))?.content ?? null;
}

async function readChunk({ artifacts }: Deps, key: string): Promise<Transcript | null> {
  const chunk = await artifacts.readArtifact(key, transcribedChunkSchema);
  return chunk && { language: chunk.language, text: '', segments: chunk.segments };
}

async function toPart(
  lectureId: string,
  name: string,
  transcript: Transcript,
  dictionary: Dictionary,
  breathe: Breathe,
): Promise<LecturePart> {
  const sentences: TimedSentence[] = [];
  for (const sentence of eachTimedSentence(transcript)) {
    sentences.push(sentence);
    await breathe();
  }
  const passages = cutPassages(sentences);
  const words = createSearchWords(transcript.language);
  const texts = passages.map(({ text }) => text);
  const keywords = await buildKeywordIndexSlowly(texts, words, breathe);
  const shard = toShard(keywords, null, dictionary);
  const textBytes = texts.reduce((sum, text) => sum + 2 * text.length, 0);
  return {
    lectureId,
    name,
    shard: { ...shard, bytes: shard.bytes + textBytes },
    language: words.language,
    weights: null,
    passages,
  };
}
