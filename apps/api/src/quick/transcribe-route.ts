import { AppError } from '@studymate/contracts/errors';
import { createId } from '@studymate/contracts/ids';
import { transcribeResponseSchema } from '@studymate/contracts/requests';
import type { Logger } from '@studymate/observability/logger';
import type { Metrics } from '@studymate/observability/metrics';
import { parseLanguage } from '@studymate/speech/languages';
import { clipKey } from '@studymate/storage/lecture-keys';
import type { Router } from 'express';
import type { Admission } from '../admission.ts';
import { addRoute, type Handler } from '../http/add-route.ts';
import { callerGone } from '../http/caller-gone.ts';
import { receiveFile } from '../http/multipart.ts';
import type { Services } from '../services.ts';

/** 60 s of stereo at 48 kHz and 32 bits is 23 MB. */
export const maxClipBytes = 25 * 1024 * 1024;
const timeoutMs = 120_000;

/** POST /api/v1/transcribe: a short recording, transcribed while the caller waits. */
export function addTranscribeRoute(
  router: Router,
  deps: { services: Services; admission: Admission; logger: Logger; metrics: Metrics },
): void {
  const { admission } = deps;
  const { blobs, quick } = deps.services;
  const transcribe: Handler = async (req, res) => {
    const signal = callerGone(res);
    let language: string | null = null;
    const key = clipKey(createId());
    const remove = () =>
      blobs.delete(key).catch((error: unknown) => deps.logger.warn({ err: error, key }, 'a clip was left behind'));
    await receiveFile(req, {
      maxFileBytes: maxClipBytes,
      onField(name, value) {
        if (value.trim() === '') return;
        // An answer without them would look as if they had been considered.
        if (name === 'candidates') throw new AppError('invalid_request', 'candidates are not built yet');
        if (name !== 'language') return;
        if (language !== null) throw new AppError('invalid_request', 'language: is given twice');
        language = parseLanguage(value);
      },
      store: (bytes) => blobs.put(key, bytes),
      discard: async () => {
        await remove();
      },
    });
    try {
      const answer = transcribeResponseSchema.parse(
        await quick.call({ kind: 'transcribe', clipKey: key, language }, { timeoutMs, signal }),
      );
      res.locals.cold = answer.timings.cold;
      res.json(answer);
    } finally {
      await remove();
    }
  };
  addRoute(router, '/api/v1/transcribe', {
    post: (req, res) => admission.quick(async () => transcribe(req, res)),
  });
}
