import type { Config } from '@studymate/config/config';
import { type AppError, toAppError } from '@studymate/contracts/errors';
import { createId } from '@studymate/contracts/ids';
import type { Logger } from '@studymate/observability/logger';
import { mediaKey } from '@studymate/storage/lecture-keys';
import type { Response, Router } from 'express';
import type { Authenticator } from '../auth/authenticate.ts';
import { ownerOf } from '../auth/owner.ts';
import { addRoute, type Handler } from '../http/add-route.ts';
import { callerGone } from '../http/caller-gone.ts';
import { toRecognition } from '../http/glossary-field.ts';
import { multipartOverheadBytes, receiveFile } from '../http/multipart.ts';
import { openSse, type SseWriter } from '../http/sse.ts';
import type { Services } from '../services.ts';
import { type AudioResult, toAudioAnswer, toUsage } from './audio-answer.ts';
import { addAudioModelRoutes, createAudioModels } from './audio-models.ts';
import { type AudioRequest, createAudioRequestReader } from './audio-request.ts';
import { toOpenaiError } from './openai-error.ts';
import { toPromptTerms } from './prompt-terms.ts';
import {
  joinerOf,
  maxQuickBytes,
  type TranscriptListener,
  type TranscriptRequest,
  type TranscriptRequests,
} from './request-transcript.ts';

/** OpenAI's audio API: /v1/audio/transcriptions, /v1/audio/translations and /v1/models. */
export function addAudioRoutes(
  router: Router,
  deps: {
    config: Config;
    services: Services;
    requests: TranscriptRequests;
    auth: Authenticator;
    logger: Logger;
  },
): void {
  const { blobs } = deps.services;
  const models = createAudioModels(deps.config.models);
  addAudioModelRoutes(router, { models });

  const answer =
    (translate: boolean): Handler =>
    async (req, res) => {
      const signal = callerGone(res);
      deps.auth.endWhenRevoked(req, res);
      let request: AudioRequest | undefined;
      let stream: TextStream | undefined;
      const receive = async (): Promise<TranscriptRequest> => {
        const fields = createAudioRequestReader();
        const key = mediaKey(createId());
        const file = await receiveFile(req, {
          maxFileBytes: deps.config.limits.maxUploadBytes,
          onField: fields.onField,
          store: (bytes) => blobs.put(key, bytes),
          discard: () => blobs.delete(key),
        });
        request = fields.toRequest();
        try {
          models.check(request.model);
        } catch (error) {
          await blobs.delete(key);
          throw error;
        }
        if (request.stream) stream = createTextStream(res);
        return {
          owner: ownerOf(res),
          mediaKey: key,
          file,
          language: translate ? null : request.language,
          recognition: {
            ...(translate ? { translate } : toRecognition(toPromptTerms(request.prompt ?? ''))),
            ...(request.temperature > 0 && { temperature: request.temperature }),
          },
          signal,
          listener: stream ?? silent,
        };
      };
      // A body of unknown length may be of any.
      const length = Number(req.headers['content-length'] ?? Number.POSITIVE_INFINITY);
      try {
        const result = await deps.requests.transcribe({
          owner: ownerOf(res),
          maybeClip: length <= maxQuickBytes + multipartOverheadBytes,
          receive,
        });
        if (stream) await stream.finish(result);
        else if (request) send(res, request, result);
      } catch (error) {
        if (!stream?.isOpen()) throw error;
        deps.logger.warn({ err: error, requestId: res.locals.requestId }, 'a streamed transcription failed');
        await stream.fail(toAppError(error), String(res.locals.requestId ?? ''));
      }
    };
  addRoute(router, '/v1/audio/transcriptions', { post: answer(false) });
  addRoute(router, '/v1/audio/translations', { post: answer(true) });
}

const silent: TranscriptListener = { onSegments: async () => {}, onQuiet: () => {} };

function send(res: Response, request: AudioRequest, result: AudioResult): void {
  const { contentType, body } = toAudioAnswer(request, result);
  res.setHeader('content-type', contentType);
  res.end(body);
}

interface TextStream extends TranscriptListener {
  isOpen(): boolean;
  finish(result: AudioResult): Promise<void>;
  fail(error: AppError, requestId: string): Promise<void>;
}

/** Text as it comes. Opened by the first of it: a file that is refused gets an ordinary answer. */
function createTextStream(res: Response): TextStream {
  let opened: SseWriter | undefined;
  let text = '';
  const sse = (): SseWriter => {
    opened ??= openSse(res);
    return opened;
  };
  const sendDelta = async (delta: string) => {
    text += delta;
    await sse().send({ data: { type: 'transcript.text.delta', delta } });
  };
  const end = () => {
    if (!res.destroyed) res.write('data: [DONE]\n\n');
    sse().end();
  };
  return {
    isOpen: () => opened !== undefined,
    async onSegments(segments, language) {
      for (const segment of segments) await sendDelta(text === '' ? segment.text : joinerOf(language) + segment.text);
    },
    onQuiet: () => sse().comment('keep-alive'),
    async finish(result) {
      await sse().send({ data: { type: 'transcript.text.done', text: result.text, usage: toUsage(result) } });
      end();
    },
    async fail(error, requestId) {
      await sse().send({ data: toOpenaiError(error, error.message, requestId) });
      end();
    },
  };
}
