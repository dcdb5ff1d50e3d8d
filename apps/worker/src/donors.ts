import { isDeepStrictEqual } from 'node:util';
import {
  type Chunk,
  chunkSchema,
  type IngestManifest,
  ingestManifestSchema,
  type TranscribedChunk,
  transcribedChunkSchema,
} from '@studymate/contracts/artifacts';
import type { ArtifactRef, LectureRecord } from '@studymate/contracts/lecture-record';
import type { StudyStageName } from '@studymate/contracts/stages';
import { attemptOf, studiedVersionOf } from '@studymate/queue/next-jobs';
import type { ArtifactReader, ArtifactSchema } from '@studymate/storage/artifacts';
import { chunkKey, embeddingsKey, transcribedChunkKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { unlessDamaged } from './unless-damaged.ts';

/** What must be equal, besides the recording and the language asked for, for two lectures to have the same chunks. */
export interface ChunkSettings {
  ingestAlgorithm: string;
  speechAlgorithm: string;
  maxMediaSeconds: number;
}

/** A recording that was cut and transcribed to its end. */
export interface DoneChunks {
  manifest: IngestManifest;
  chunks: { cut: Chunk; transcribed: TranscribedChunk }[];
  detectedLanguage: string | null;
}

/** The result of another lecture's study stage, and where it comes from: more may lie beside it. */
export interface DonatedArtifact<T> {
  artifact: T;
  lectureId: string;
  attempt: number;
}

/**
 * What other lectures of the same owner with the same recording have made already. Everything is read and given, never
 * shared: the asking lecture keeps copies of its own, so that either can be deleted without a thought of the other. A
 * donor may be running, cancelled, failed or deleted meanwhile; what cannot be read whole is not given.
 */
export interface Donors {
  /** All chunks, where one donor has them all. */
  findDoneChunks(record: LectureRecord, settings: ChunkSettings): Promise<DoneChunks | null>;
  /**
   * The text of one chunk.
   * @param language what the model would be told now; null: it would find out itself
   */
  findTranscribedChunk(
    record: LectureRecord,
    chunk: Chunk,
    settings: { speechAlgorithm: string; language: string | null },
  ): Promise<TranscribedChunk | null>;
  /** The result of a study stage that was made of the same transcript. */
  findStudyArtifact<T>(
    record: LectureRecord,
    stage: StudyStageName,
    algorithm: string,
    schema: ArtifactSchema<T>,
  ): Promise<DonatedArtifact<T> | null>;
  /** @param inputHash of the sentences and weights that the embeddings must belong to */
  findEmbeddings(
    record: LectureRecord,
    transcript: Pick<ArtifactRef, 'algorithm' | 'contentSha256'>,
    inputHash: string,
  ): Promise<Float32Array | null>;
}

/**
 * So many of the newest and of the oldest are looked at. The oldest are the likeliest to be done when many are
 * uploaded at once, the newest the likeliest to be made with today's settings.
 */
const lookedAtEachEnd = 4;
const readsAtOnce = 8;

export function createDonors(deps: {
  lectures: Pick<LectureStore, 'read' | 'listIdsOfSameMedia'>;
  artifacts: ArtifactReader;
}): Donors {
  const { lectures, artifacts } = deps;

  /** Lectures that may be donors, one after the other: who is content with the first reads no other. */
  async function* candidates(record: LectureRecord): AsyncGenerator<LectureRecord> {
    const ids = await lectures.listIdsOfSameMedia(record);
    const few = new Set([...ids.slice(-lookedAtEachEnd).reverse(), ...ids.slice(0, lookedAtEachEnd)]);
    for (const id of few) {
      const donor = await unlessDamaged(lectures.read(id));
      if (!donor || donor.owner !== record.owner) continue;
      const { sha256, bytes } = donor.media;
      if (sha256 !== record.media.sha256 || bytes !== record.media.bytes) continue;
      if (donor.requestedLanguage !== record.requestedLanguage) continue;
      if (isDeepStrictEqual(donor.recognition ?? {}, record.recognition ?? {})) yield donor;
    }
  }

  const readTranscribed = async (donor: LectureRecord, index: number, speechAlgorithm: string) => {
    const key = transcribedChunkKey(donor.id, attemptOf(donor, 'transcribe'), index);
    const chunk = await unlessDamaged(artifacts.readArtifact(key, transcribedChunkSchema));
    return chunk?.algorithm === speechAlgorithm ? chunk : null;
  };
  const readCut = (donor: LectureRecord, index: number) =>
    unlessDamaged(artifacts.readArtifact(chunkKey(donor.id, attemptOf(donor, 'ingest'), index), chunkSchema));

  const readDoneChunks = async (donor: LectureRecord, settings: ChunkSettings): Promise<DoneChunks | null> => {
    const pinned = donor.artifacts.ingest;
    if (pinned?.algorithm !== settings.ingestAlgorithm) return null;
    const manifest = await unlessDamaged(artifacts.readArtifact(pinned.key, ingestManifestSchema));
    if (!manifest || manifest.durationSeconds > settings.maxMediaSeconds) return null;
    const chunks: DoneChunks['chunks'] = [];
    for (let first = 0; first < manifest.chunkCount; first += readsAtOnce) {
      const indexes = Array.from({ length: Math.min(readsAtOnce, manifest.chunkCount - first) }, (_, i) => first + i);
      const read = await Promise.all(
        indexes.map((i) => Promise.all([readCut(donor, i), readTranscribed(donor, i, settings.speechAlgorithm)])),
      );
      for (const [cut, transcribed] of read) {
        if (!cut || !transcribed) return null;
        chunks.push({ cut, transcribed });
      }
    }
    return { manifest, chunks, detectedLanguage: donor.detectedLanguage };
  };

  return {
    async findDoneChunks(record, settings) {
      for await (const donor of candidates(record)) {
        const done = await readDoneChunks(donor, settings);
        if (done) return done;
      }
      return null;
    },
    async findTranscribedChunk(record, chunk, { speechAlgorithm, language }) {
      for await (const donor of candidates(record)) {
        // The first chunk that is done decides what the model is told for the others.
        const donorLanguage = donor.requestedLanguage ?? donor.detectedLanguage;
        if (language !== null && donorLanguage !== language) continue;
        const cut = await readCut(donor, chunk.index);
        if (!cut || !isDeepStrictEqual(cut, chunk)) continue;
        const transcribed = await readTranscribed(donor, chunk.index, speechAlgorithm);
        if (transcribed) return transcribed;
      }
      return null;
    },
    async findStudyArtifact(record, stage, algorithm, schema) {
      const transcript = record.artifacts.assemble;
      for await (const donor of candidates(record)) {
        const pinned = donor.artifacts[stage];
        // Made of a text that a person has corrected, which this lecture does not have.
        if (studiedVersionOf(donor, stage) > 0) continue;
        if (pinned?.algorithm !== algorithm || !isSameTranscript(donor.artifacts.assemble, transcript)) continue;
        const artifact = await unlessDamaged(artifacts.readArtifact(pinned.key, schema));
        if (artifact) return { artifact, lectureId: donor.id, attempt: pinned.attempt };
      }
      return null;
    },
    async findEmbeddings(record, transcript, inputHash) {
      for await (const donor of candidates(record)) {
        if (!isSameTranscript(donor.artifacts.assemble, transcript)) continue;
        const key = embeddingsKey(donor.id, attemptOf(donor, 'assemble'), inputHash);
        const found = await unlessDamaged(artifacts.readFloats(key));
        if (found) return found;
      }
      return null;
    },
  };
}

function isSameTranscript(
  a: Pick<ArtifactRef, 'contentSha256'> | undefined,
  b: Pick<ArtifactRef, 'contentSha256'> | undefined,
): boolean {
  return a?.contentSha256 !== undefined && a.contentSha256 === b?.contentSha256;
}
