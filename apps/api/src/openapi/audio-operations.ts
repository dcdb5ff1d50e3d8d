import {
  audioModelListSchema,
  audioModelSchema,
  audioTextSchema,
  audioVerboseSchema,
} from '@studymate/contracts/openai';
import { z } from 'zod';
import { audioFormats } from '../openai/audio-request.ts';
import * as fields from './form-fields.ts';
import { clipErrors, fileErrors, type Operation, type Operations, workErrors } from './operation.ts';

const choice = (description: string, values: readonly string[]) => ({
  description,
  schema: { type: 'string', enum: values },
});
const text = (description: string) => ({ description, schema: { type: 'string' } });

const audio = (summary: string): Operation => ({
  tag: 'OpenAI',
  summary,
  body: {
    required: true,
    content: {
      'multipart/form-data': {
        fields: {
          file: fields.file,
          model: text('One of GET /v1/models.'),
          language: fields.language,
          prompt: text('Accepted; changes nothing.'),
          response_format: choice('json unless given.', audioFormats),
          temperature: { description: '0 unless given.', schema: { type: 'number', minimum: 0, maximum: 1 } },
          'timestamp_granularities[]': {
            description: 'What `verbose_json` has: segments unless given.',
            schema: { type: 'array', items: { type: 'string', enum: ['segment', 'word'] } },
          },
          stream: choice('Text as it comes, as server-sent events.', ['true', 'false']),
        },
      },
    },
  },
  answers: {
    200: {
      description: 'What was heard.',
      content: {
        'application/json': z.union([audioVerboseSchema, audioTextSchema]),
        'text/plain': 'text',
        'application/x-subrip': 'text',
        'text/vtt': 'text',
        'text/event-stream': 'events',
      },
    },
  },
  errors: [...fileErrors, ...clipErrors, ...workErrors, 'not_found', 'too_many_lectures', 'artifact_lost'],
});

/** OpenAI's audio API. */
export const audioOperations: Operations = {
  'POST /v1/audio/transcriptions': audio('The text of a recording, in its language.'),
  'POST /v1/audio/translations': audio('The text of a recording, in English.'),
  'GET /v1/models': {
    tag: 'OpenAI',
    summary: 'Names of models that are taken.',
    answers: { 200: { description: 'The models.', content: { 'application/json': audioModelListSchema } } },
    errors: [],
  },
  'GET /v1/models/:model': {
    tag: 'OpenAI',
    summary: 'One of them.',
    answers: { 200: { description: 'The model.', content: { 'application/json': audioModelSchema } } },
    errors: ['not_found'],
  },
};
