import {
  passagesArtifactSchema,
  transcribedChunkSchema,
  transcriptArtifactSchema,
} from '@studymate/contracts/artifacts';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { pathStageNames } from '@studymate/contracts/stages';
import type { Transcript } from '@studymate/contracts/transcript';
import type { Logger } from '@studymate/observability/logger';
import { attemptOf, hasFailed, isSettled } from '@studymate/queue/next-jobs';
import type { ArtifactReader } from '@studymate/storage/artifacts';
import { passagesKey, searchIndexKey, transcribedChunkKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { readUnlessDamaged } from '@studymate/storage/read-unless-damaged';
import type { TranscriptEditStore } from '@studymate/storage/transcript-edit-store';
import type { Dictionary } from '@studymate/study/search/dictionary';
import { parseIndexBytes, type SearchIndex } from '@studymate/study/search/index-bytes';
import { buildKeywordIndexSlowly } from '@studymate/study/search/keyword-index';
import { cutPassages, type Passage, withTextOf } from '@studymate/study/search/passages';
import type { QuantisedVectors } from '@studymate/study/search/quantised-vectors';
import type { Breathe } from '@studymate/study/search/search-shards';
import { createSearchWords, type SearchWords } from '@studymate/study/search/search-words';
import { type Shard, toShard } from '@studymate/study/search/shard';
import { eachTimedSentence, type TimedSentence } from '@studymate/study/sentences';
import { correctUnlessDamaged } from '../lectures/lecture-text.ts';
import { isIndexOfNow, toIndexedName, toTextName } from './part-names.ts';

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
  /** By which the embeddings of its passages' sentences are known; null where there are none, or it lies in the store. */
  inputHash: string | null;
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
  edits: Pick<TranscriptEditStore, 'read'>;
  lectures: Pick<LectureStore, 'readIndex'>;
  logger: Pick<Logger, 'warn'>;
  /** Does the work when all that was given before has ended: what has no index costs the thread some time each. */
  oneAtATime<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * What of a lecture can be searched as it stands: by the index that was made with its chapters, with the words of the
 * transcript where that has been corrected since; else by the words of its transcript; else by those of the chunks that are
 * transcribed so far.
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
  const make = (name: string, read: () => Promise<Transcript | null>): Promise<LecturePart | null> =>
    deps.oneAtATime(async () => {
      const transcript = await read();
      await breathe();
      return transcript && toPart(record.id, name, transcript, dictionary, breathe);
    });
  const known = new Map(before?.parts.map((part) => [part.name, part]));
  const indexed = toIndexedName(record);
  if (indexed !== null) {
    const read = () =>
      isIndexOfNow(record)
        ? readIndexed(deps, record.id, indexed, dictionary)
        : deps.oneAtATime(() => readCorrected(deps, record, indexed, dictionary, breathe));
    const part = known.get(indexed) ?? (await read());
    if (part) return loaded([part], false);
  }
  // Until the chapters are there the chunks will do, unless they have been corrected: they are loaded already, and the index
  // comes soon.
  const text = toTextName(record);
  if (text !== null && (isSettled(record, 'chapters') || record.transcriptVersion !== undefined)) {
    const part = known.get(text) ?? (await make(text, () => readTranscript(deps, record)));
    return loaded(part ? [part] : [], !isSettled(record, 'chapters'));
  }
  const attempt = attemptOf(record, 'transcribe');
  const parts: LecturePart[] = [];
  for (const chunk of (await deps.lectures.readIndex(record)).transcribedChunks) {
    const key = transcribedChunkKey(record.id, attempt, chunk);
    const part = known.get(key) ?? (await make(key, () => readChunk(deps, key)));
    if (part) parts.push(part);
    await breathe();
  }
  const isAtWork = !isSettled(record, 'assemble') && !pathStageNames.some((stage) => hasFailed(record, stage));
  return loaded(parts, record.artifacts.assemble !== undefined || isAtWork);
}

async function readIndexed(
  { artifacts }: Deps,
  lectureId: string,
  key: string,
  dictionary: Dictionary,
): Promise<LecturePart | null> {
  const index = await readIndex(artifacts, key);
  if (!index) return null;
  const { language, weights, keywords, vectors } = index;
  const shard = toShard(keywords, vectors, dictionary);
  return { lectureId, name: key, shard, language, weights, passages: null, inputHash: null };
}

/**
 * The passages and vectors of the index, with the words that the transcript has by now: what was said lies where it lay, and
 * means about the same.
 */
async function readCorrected(
  deps: Deps,
  record: LectureRecord,
  name: string,
  dictionary: Dictionary,
  breathe: Breathe,
): Promise<LecturePart | null> {
  const attempt = record.artifacts.chapters?.attempt ?? 1;
  const index = await readIndex(deps.artifacts, searchIndexKey(record.id, attempt));
  const read = (key: string) => deps.artifacts.readArtifact(key, passagesArtifactSchema);
  const kept = await readUnlessDamaged({ read }, passagesKey(record.id, attempt));
  const transcript = await readTranscript(deps, record);
  if (!index || !transcript || kept?.content.passages.length !== index.vectors.scales.length) return null;
  const passages = withTextOf(kept.content.passages, await toSentences(transcript, breathe));
  const words = createSearchWords(index.language);
  const { shard, language } = await toKeywordPart(passages, words, index.vectors, dictionary, breathe);
  const { weights } = index;
  return { lectureId: record.id, name, shard, language, weights, passages, inputHash: kept.content.inputHash };
}

async function readIndex(artifacts: ArtifactReader, key: string): Promise<SearchIndex | null> {
  const bytes = await artifacts.readBytes(key);
  return bytes && parseUnlessDamaged(bytes);
}

/** One that is damaged is as good as none: the words of the transcript are still there. */
function parseUnlessDamaged(bytes: Uint8Array): SearchIndex | null {
  try {
    return parseIndexBytes(bytes);
  } catch {
    return null;
  }
}

async function readTranscript(deps: Deps, record: LectureRecord): Promise<Transcript | null> {
  const key = record.artifacts.assemble?.key;
  const machine = key === undefined ? null : await deps.artifacts.readArtifact(key, transcriptArtifactSchema);
  return machine && correctUnlessDamaged(deps, record, machine.content);
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
  const passages = cutPassages(await toSentences(transcript, breathe));
  const words = createSearchWords(transcript.language);
  const { shard, language } = await toKeywordPart(passages, words, null, dictionary, breathe);
  return { lectureId, name, shard, language, weights: null, passages, inputHash: null };
}

async function toSentences(transcript: Transcript, breathe: Breathe): Promise<TimedSentence[]> {
  const sentences: TimedSentence[] = [];
  for (const sentence of eachTimedSentence(transcript)) {
    sentences.push(sentence);
    await breathe();
  }
  return sentences;
}

/** Of passages that are kept in memory with their text. */
async function toKeywordPart(
  passages: readonly Passage[],
  words: SearchWords,
  vectors: QuantisedVectors | null,
  dictionary: Dictionary,
  breathe: Breathe,
): Promise<Pick<LecturePart, 'shard' | 'language'>> {
  const texts = passages.map(({ text }) => text);
  const shard = toShard(await buildKeywordIndexSlowly(texts, words, breathe), vectors, dictionary);
  const textBytes = texts.reduce((sum, text) => sum + 2 * text.length, 0);
  return { shard: { ...shard, bytes: shard.bytes + textBytes }, language: words.language };
}
