import { AppError } from '@studymate/contracts/errors';
import { maxGlossaryBytes } from '@studymate/contracts/glossary';
import { createId } from '@studymate/contracts/ids';
import {
  candidatesSchema,
  maxCandidateCharacters,
  maxCandidates,
  type TranscribeResponse,
  transcribeResponseSchema,
} from '@studymate/contracts/requests';
import type { Logger } from '@studymate/observability/logger';
import { normaliseCandidate } from '@studymate/speech/candidates';
import { parseLanguage } from '@studymate/speech/languages';
import { clipKey } from '@studymate/storage/lecture-keys';
import type { Router } from 'express';
import { z } from 'zod';
import type { Admission } from '../admission.ts';
import { ownerOf } from '../auth/owner.ts';
import { toCacheUse } from '../cache/cache-control.ts';
import type { ResponseCache } from '../cache/response-cache.ts';
import { addRoute, type Handler } from '../http/add-route.ts';
import { callerGone } from '../http/caller-gone.ts';
import { readGlossary, toRecognition } from '../http/glossary-field.ts';
import { parseRequest } from '../http/json-body.ts';
import { receiveFile } from '../http/multipart.ts';
import type { Services } from '../services.ts';

/** 60 s of stereo at 48 kHz and 32 bits is 23 MB. */
export const maxClipBytes = 25 * 1024 * 1024;
const timeoutMs = 120_000;
const keptPieces = z.array(transcribeResponseSchema).length(1);
/** As many characters as are allowed, each written as \uXXXX twice, with quotes and commas between the texts. */
const maxCandidatesBytes = maxCandidates * (maxCandidateCharacters * 12 + 4);

/** POST /api/v1/transcribe: a short recording, transcribed while the caller waits. */
export function addTranscribeRoute(
  router: Router,
  deps: {
    services: Services;
    admission: Admission;
    logger: Logger;
    cache: ResponseCache;
  },
): void {
  const { admission, cache } = deps;
  const { blobs, quick, modelNames } = deps.services;
  const transcribe: Handler = async (req, res) => {
    const signal = callerGone(res);
    let language: string | null = null;
    let candidates: string[] | undefined;
    let glossary: readonly string[] = [];
    const key = clipKey(createId());
    let isGone = false;
    const remove = () => {
      isGone = true;
      return blobs
        .delete(key)
        .catch((error: unknown) => deps.logger.warn({ err: error, key }, 'a clip was left behind'));
    };
    const { stored } = await receiveFile(req, {
      maxFileBytes: maxClipBytes,
      maxFieldBytes: Math.max(maxCandidatesBytes, maxGlossaryBytes),
      onField(name, value) {
        if (name === 'candidates') {
          if (candidates) throw new AppError('invalid_request', 'candidates: is given twice');
          candidates = parseCandidates(value);
        }
        if (name === 'glossary') glossary = readGlossary(glossary, value);
        if (name !== 'language' || value.trim() === '') return;
        if (language !== null) throw new AppError('invalid_request', 'language: is given twice');
        language = parseLanguage(value);
      },
      store: (bytes) => blobs.put(key, bytes),
      discard: async () => {
        await remove();
      },
    });
    /** Others that sent the same may wait for what is made of it: then it stays until that has ended. */
    let isInUse = false;
    const recognition = toRecognition(glossary);
    async function* make(making: AbortSignal): AsyncGenerator<unknown> {
      // The one whose clip it was has left just before its turn.
      if (isGone) throw new AppError('unavailable', 'Send the clip again.', { details: { retryAfterSeconds: 1 } });
      isInUse = true;
      try {
        const job = { kind: 'transcribe', clipKey: key, language, candidates, recognition } as const;
        yield transcribeResponseSchema.parse(await quick.call(job, { timeoutMs, signal: making }));
      } finally {
        isInUse = false;
        await remove();
      }
    }
    try {
      const content = { sha256: stored.sha256, language, candidates, recognition };
      const model = await modelNames.read('speech');
      const use = toCacheUse(req.get('cache-control'));
      const owner = ownerOf(res);
      const { result, pieces } = await cache.open(
        { kind: 'clip', owner, content, model, pieces: keptPieces, use },
        { make, canMake: () => modelNames.hasWorker('speech') },
        signal,
      );
      res.setHeader('x-cache', result === 'shared' ? 'hit' : result);
      for await (const piece of pieces) {
        const answer = transcribeResponseSchema.parse(piece);
        res.locals.cold = answer.timings.cold;
        res.json(result === 'miss' ? answer : toKept(answer));
      }
    } finally {
      if (!isInUse) await remove();
    }
  };
  addRoute(router, '/api/v1/transcribe', {
    post: (req, res) => admission.quick(ownerOf(res), async () => transcribe(req, res)),
  });
}

/** It took no time to give it again. */
function toKept(answer: TranscribeResponse): TranscribeResponse {
  const nothing = { decodeSeconds: 0, modelLoadSeconds: 0, inferenceSeconds: 0, cold: false };
  const { decodeMethod } = answer.timings;
  return { ...answer, timings: { ...nothing, decodeMethod, cached: true } };
}

/**
 * A JSON array of texts. Of those that differ in nothing that can be heard the first is kept.
 * @throws AppError `invalid_request`
 */
function parseCandidates(text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = 'candidates: must be a JSON array of texts, such as ["yes", "no"]';
    throw new AppError('invalid_request', message, { cause });
  }
  const { candidates } = parseRequest(z.object({ candidates: candidatesSchema }), { candidates: value });
  const first = new Map<string, string>();
  for (const each of candidates) {
    const heard = normaliseCandidate(each);
    if (!first.has(heard)) first.set(heard, each);
  }
  return [...first.values()];
}
