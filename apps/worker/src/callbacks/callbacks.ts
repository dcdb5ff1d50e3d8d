import { type CallbackEvent, callbackEventSchema } from '@studymate/contracts/callbacks';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { Logger } from '@studymate/observability/logger';
import { defaultBacklog } from '@studymate/queue/estimate';
import { toEndMark } from '@studymate/queue/events';
import type { CallbackJobData } from '@studymate/queue/job-catalogue';
import { noLiveState, toLectureView } from '@studymate/queue/lecture-view';
import type { Queues } from '@studymate/queue/queues';
import type { BlobStore } from '@studymate/storage/blob-store';
import { callbackNoteKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { type PostOptions, postCallback } from './post-callback.ts';

export interface Callbacks {
  /**
   * Queues the news of a lecture's end, if it has one to tell and has not told it. Safe to call at any time, by anyone:
   * whether it was told lies in the store, so neither a death nor a loss of Redis makes it be forgotten.
   * @returns whether it has been queued
   */
  tell(record: LectureRecord): Promise<boolean>;
  /** @param options.isLast nobody tries again after this. @throws what another try may change */
  run(job: CallbackJobData, options: { isLast: boolean; signal: AbortSignal }): Promise<void>;
}

export function createCallbacks(deps: {
  lectures: Pick<LectureStore, 'read'>;
  blobs: Pick<BlobStore, 'create' | 'stat'>;
  queues: Pick<Queues, 'addCallbackJob'>;
  /** Null: nothing is sent. */
  secret: string | null;
  allowPrivate: boolean;
  logger: Logger;
  lookup?: PostOptions['lookup'];
}): Callbacks {
  const { lectures, blobs, queues, secret, allowPrivate, logger } = deps;

  const wasTold = async (record: LectureRecord): Promise<boolean> =>
    (await blobs.stat(callbackNoteKey(record.id, toEndMark(record)))) !== null;

  return {
    async tell(record) {
      if (secret === null || record.callbackUrl === undefined || !toEvent(record)) return false;
      if (await wasTold(record)) return false;
      await queues.addCallbackJob({ lectureId: record.id, mark: toEndMark(record) });
      return true;
    },
    async run({ lectureId, mark }, { isLast, signal }) {
      const record = await lectures.read(lectureId);
      // Deleted, or taken up again meanwhile: its next end is another piece of news.
      if (!record || toEndMark(record) !== mark) return;
      const event = toEvent(record);
      if (secret === null || record.callbackUrl === undefined || !event || (await wasTold(record))) return;
      const note = (outcome: 'delivered' | 'given up') =>
        blobs.create(callbackNoteKey(lectureId, mark), Buffer.from(JSON.stringify({ outcome, at: new Date() })));
      const log = logger.child({ lectureId, eventId: event.id });
      try {
        const target = { url: record.callbackUrl, secret, allowPrivate };
        await postCallback(target, event, { signal, ...(deps.lookup && { lookup: deps.lookup }) });
      } catch (error) {
        if (signal.aborted) throw error;
        const isHopeless = error instanceof AppError && error.code === 'callback_refused';
        // Without its stack: the address may hold what is nobody else's business.
        log.warn({ reason: toReason(error), isLast: isLast || isHopeless }, 'a callback was not delivered');
        if (!isLast && !isHopeless) throw error;
        await note('given up');
        return;
      }
      await note('delivered');
      log.info('a callback was delivered');
    },
  };
}

/** @returns null while the lecture is worked on */
function toEvent(record: LectureRecord): CallbackEvent | null {
  const lecture = toLectureView(record, { cutChunks: [], transcribedChunks: [] }, noLiveState, defaultBacklog);
  const event = callbackEventSchema.shape.event.safeParse(`lecture.${lecture.status}`);
  return event.success ? { id: `${record.id}-${toEndMark(record)}`, event: event.data, lecture } : null;
}

function toReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
