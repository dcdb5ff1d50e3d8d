import { AppError } from '@studymate/contracts/errors';
import { maxGlossaryBytes } from '@studymate/contracts/glossary';
import { createId } from '@studymate/contracts/ids';
import {
  candidatesSchema,
  maxCandidateCharacters,
  maxCandidates,
  transcribeResponseSchema,
} from '@studymate/contracts/requests';
import type { Logger } from '@studymate/observability/logger';
import type { Metrics } from '@studymate/observability/metrics';
import type { QuickJobData } from '@studymate/queue/job-catalogue';
import { normaliseCandidate } from '@studymate/speech/candidates';
import { parseLanguage } from '@studymate/speech/languages';
import { clipKey } from '@studymate/storage/lecture-keys';
import type { Router } from 'express';
import { z } from 'zod';
import type { Admission } from '../admission.ts';
import { ownerOf } from '../auth/owner.ts';
import { addRoute, type Handler } from '../http/add-route.ts';
import { callerGone } from '../http/caller-gone.ts';
import { readGlossary, toRecognition } from '../http/glossary-field.ts';
import { parseRequest } from '../http/json-body.ts';
import { receiveFile } from '../http/multipart.ts';
import type { Services } from '../services.ts';

/** 60 s of stereo at 48 kHz and 32 bits is 23 MB. */
export const maxClipBytes = 25 * 1024 * 1024;
const timeoutMs = 120_000;
/** As many characters as are allowed, each written as \uXXXX twice, with quotes and commas between the texts. */
const maxCandidatesBytes = maxCandidates * (maxCandidateCharacters * 12 + 4);

type QuickJobKeep = Extract<QuickJobData, { kind: 'transcribe' }>['keep'];

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
    let candidates: string[] | undefined;
    let glossary: readonly string[] = [];
    const key = clipKey(createId());
    const remove = () =>
      blobs.delete(key).catch((error: unknown) => deps.logger.warn({ err: error, key }, 'a clip was left behind'));
    await receiveFile(req, {
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
    try {
      const keep = toKeep(req.headers['cache-control'], ownerOf(res));
      const answer = transcribeResponseSchema.parse(
        await quick.call(
          { kind: 'transcribe', clipKey: key, language, candidates, recognition: toRecognition(glossary), keep },
          { timeoutMs, signal },
        ),
      );
      res.setHeader('x-cache', answer.timings.cached ? 'hit' : 'miss');
      res.locals.cold = answer.timings.cold;
      res.json(answer);
    } finally {
      await remove();
    }
  };
  addRoute(router, '/api/v1/transcribe', {
    post: (req, res) => admission.quick(ownerOf(res), async () => transcribe(req, res)),
  });
}

/** `no-cache`: a new answer, which is kept; `no-store`: a new one, and nothing is kept. */
function toKeep(cacheControl = '', owner: string): QuickJobKeep {
  const directives = cacheControl
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim());
  if (directives.includes('no-store')) return undefined;
  return { owner, read: !directives.includes('no-cache') };
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
