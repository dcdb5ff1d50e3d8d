import { createHash } from 'node:crypto';
import { transcriptArtifactSchema } from '@studymate/contracts/artifacts';
import { AppError, toAppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { Transcript } from '@studymate/contracts/transcript';
import { attemptOf } from '@studymate/queue/next-jobs';
import { applyChanges } from '@studymate/speech/edited-transcript';
import type { ArtifactReader } from '@studymate/storage/artifacts';
import { embeddingsKey, transcriptKey } from '@studymate/storage/lecture-keys';
import type { TranscriptEditStore } from '@studymate/storage/transcript-edit-store';
import type { Embeddings } from '@studymate/study/embeddings';
import { hasStudyableSpeech, type TimedSentence, toTimedSentences } from '@studymate/study/sentences';
import type { Donors } from '../donors.ts';
import { priorities, runEmbed } from '../model-ops.ts';
import type { Models } from '../models.ts';
import type { StageContext } from '../stage-context.ts';

/** What every study stage reads. */
export interface StudyInput {
  sentences: TimedSentence[];
  embeddings: Embeddings;
  language: string;
  /** The model whose embeddings they are, and its weights. */
  weights: string;
  /** Whether the model had to be loaded; null when the embeddings were there already. */
  cold: boolean | null;
}

/** People can take away all that was said, or leave what is hardly speech. */
export interface NothingToStudy {
  hasWords: boolean;
}

export interface StudyInputs {
  /**
   * @param version of the transcript's text; 0: the machine's
   * @param run who asks; who asks first writes the embeddings, and where its signal stops them the next one makes them
   */
  read(
    record: LectureRecord,
    version: number,
    run: Pick<StageContext, 'signal' | 'write'>,
  ): Promise<StudyInput | NothingToStudy>;
  /** Where the embeddings of a version of the text lie, once they were made. */
  embeddingsKeyOf(record: LectureRecord, version: number): Promise<string>;
}

/** By which embeddings are known: what was embedded, and by which weights. */
export function hashOfEmbedded(texts: readonly string[], weights: string): string {
  return createHash('sha256')
    .update(JSON.stringify([weights, texts]))
    .digest('hex')
    .slice(0, 16);
}

/** Refused to the run that made them, they still serve others that wait for them; each is asked at its own writing. */
async function keep(write: StageContext['write'], key: string, vectors: Float32Array): Promise<void> {
  await write.createFloats(key, vectors).catch((error) => {
    if (toAppError(error).code !== 'superseded') throw error;
  });
}

/**
 * The study stages of a lecture start together and want the same sentences and embeddings: they are made once,
 * kept in the store, and shared by those that ask meanwhile.
 */
export function createStudyInputs(deps: {
  artifacts: ArtifactReader;
  edits: Pick<TranscriptEditStore, 'read'>;
  models: Models;
  donors: Pick<Donors, 'findEmbeddings'>;
}): StudyInputs {
  const { artifacts, models } = deps;
  const making = new Map<string, { made: Promise<StudyInput | NothingToStudy>; signal: AbortSignal }>();

  const make = async (
    record: LectureRecord,
    version: number,
    { signal, write }: Pick<StageContext, 'signal' | 'write'>,
  ): Promise<StudyInput | NothingToStudy> => {
    const attempt = attemptOf(record, 'assemble');
    const transcript = await readText(record, attempt, version);
    if (!hasStudyableSpeech(transcript)) return { hasWords: transcript.text !== '' };
    const sentences = toTimedSentences(transcript);
    const language = transcript.language ?? 'en';
    const texts = sentences.map((sentence) => sentence.text);
    const weights = await models.weightsName('text');
    const inputHash = hashOfEmbedded(texts, weights);
    const key = embeddingsKey(record.id, attempt, inputHash);
    const kept = (await artifacts.readFloats(key)) ?? (await findDonated(record, key, inputHash, write));
    if (kept && kept.length > 0 && kept.length % sentences.length === 0) {
      const embeddings = { dimensions: kept.length / sentences.length, vectors: kept };
      return { sentences, embeddings, language, weights, cold: null };
    }
    const lease = await models.text.acquire(signal);
    try {
      // The load may have found other weights than lay there before.
      const loaded = await models.weightsName('text');
      const embeddings = await runEmbed(lease, texts, { priority: priorities.study, signal });
      await keep(write, embeddingsKey(record.id, attempt, hashOfEmbedded(texts, loaded)), embeddings.vectors);
      return { sentences, embeddings, language, weights: loaded, cold: lease.cold };
    } finally {
      lease.release();
    }
  };

  const readText = async (record: LectureRecord, attempt: number, version: number): Promise<Transcript> => {
    const machine = await artifacts.readArtifact(transcriptKey(record.id, attempt), transcriptArtifactSchema);
    if (!machine) throw new AppError('internal', 'The transcript is not in the store.');
    const edit = await deps.edits.read(record.id, version);
    return edit ? applyChanges(machine.content, edit.changes) : machine.content;
  };

  /** Embeddings that another lecture with the same transcript has made since this one was assembled. */
  const findDonated = async (
    record: LectureRecord,
    key: string,
    inputHash: string,
    write: StageContext['write'],
  ): Promise<Float32Array | null> => {
    const transcript = record.artifacts.assemble;
    if (!transcript || transcript.attempt > 1) return null;
    const found = await deps.donors.findEmbeddings(record, transcript, inputHash);
    if (found) await keep(write, key, found);
    return found;
  };

  return {
    async embeddingsKeyOf(record, version) {
      const attempt = attemptOf(record, 'assemble');
      const texts = toTimedSentences(await readText(record, attempt, version)).map((sentence) => sentence.text);
      return embeddingsKey(record.id, attempt, hashOfEmbedded(texts, await models.weightsName('text')));
    },
    async read(record, version, run) {
      const key = `${record.id}/${attemptOf(record, 'assemble')}/${version}`;
      for (;;) {
        const running = making.get(key);
        if (!running) break;
        try {
          return await running.made;
        } catch (error) {
          // The other's end (overtaken, out of time) is not ours.
          if (!running.signal.aborted || run.signal.aborted) throw error;
        }
      }
      const made = make(record, version, run).finally(() => making.delete(key));
      making.set(key, { made, signal: run.signal });
      return made;
    },
  };
}
