import type { Config } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import type { Router } from 'express';
import { addRoute } from '../http/add-route.ts';

/** Names that programs written for OpenAI send; the configured model answers for all of them. */
const aliases = ['whisper-1', 'gpt-4o-transcribe', 'gpt-4o-mini-transcribe'] as const;
/** When Whisper was published, seconds since 1970: `created` must be something, and the same every time. */
const created = 1_663_804_800;

export interface AudioModels {
  /** @throws AppError `not_found` with OpenAI's code for a model that we do not answer for */
  check(model: string | null): void;
}

export function createAudioModels({ whisperModel }: Pick<Config['models'], 'whisperModel'>): AudioModels & {
  list(): { id: string; object: 'model'; created: number; owned_by: string }[];
} {
  const ids = [...new Set([whisperModel, ...aliases])];
  return {
    check(model) {
      if (model === null || ids.includes(model)) return;
      throw new AppError('not_found', `The model ${JSON.stringify(model)} is none of ${ids.join(', ')}.`, {
        details: { param: 'model', openaiCode: 'model_not_found' },
      });
    },
    list: () => ids.map((id) => ({ id, object: 'model', created, owned_by: 'studymate' })),
  };
}

/** GET /v1/models, /v1/models/:model */
export function addAudioModelRoutes(router: Router, deps: { models: ReturnType<typeof createAudioModels> }): void {
  addRoute(router, '/v1/models', { get: (_req, res) => res.json({ object: 'list', data: deps.models.list() }) });
  addRoute(router, '/v1/models/:model', {
    get(req, res) {
      const id = String(req.params.model);
      deps.models.check(id);
      res.json(deps.models.list().find((model) => model.id === id));
    },
  });
}
