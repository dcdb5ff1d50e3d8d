import {
  chaptersRequestSchema,
  chaptersResponseSchema,
  summarizeRequestSchema,
  summarizeResponseSchema,
  topicsRequestSchema,
  topicsResponseSchema,
  transcribeResponseSchema,
} from '@studymate/contracts/requests';
import * as fields from './form-fields.ts';
import { clipErrors, fileErrors, type Operations, workErrors } from './operation.ts';

/** Short clips and texts, answered while the caller waits. */
export const quickOperations: Operations = {
  'POST /api/v1/transcribe': {
    tag: 'Clips and texts',
    summary: 'The words of a recording of at most 60 s.',
    requestHeaders: { 'Cache-Control': 'no-cache: a new answer; no-store: and nothing is kept.' },
    body: {
      required: true,
      content: {
        'multipart/form-data': {
          fields: {
            language: fields.language,
            glossary: fields.glossary,
            candidates: fields.candidates,
            file: fields.file,
          },
        },
      },
    },
    answers: {
      200: {
        description: 'What was heard.',
        content: { 'application/json': transcribeResponseSchema },
        headers: { 'X-Cache': '`hit` when the answer was kept from an earlier request, else `miss`.' },
      },
    },
    errors: [...fileErrors, ...clipErrors, ...workErrors],
  },
  'POST /api/v1/topics': {
    tag: 'Clips and texts',
    summary: 'Themes of documents, and which document belongs to which.',
    body: { required: true, content: { 'application/json': topicsRequestSchema } },
    answers: { 200: { description: 'The topics.', content: { 'application/json': topicsResponseSchema } } },
    errors: workErrors,
  },
  'POST /api/v1/chapters': {
    tag: 'Clips and texts',
    summary: 'Where a text changes its subject.',
    body: { required: true, content: { 'application/json': chaptersRequestSchema } },
    answers: { 200: { description: 'The chapters.', content: { 'application/json': chaptersResponseSchema } } },
    errors: workErrors,
  },
  'POST /api/v1/summarize': {
    tag: 'Clips and texts',
    summary: 'The sentences that say most of a text.',
    body: { required: true, content: { 'application/json': summarizeRequestSchema } },
    answers: { 200: { description: 'The summary.', content: { 'application/json': summarizeResponseSchema } } },
    errors: workErrors,
  },
  'POST /api/v1/summarize/stream': {
    tag: 'Clips and texts',
    summary: 'A summary as server-sent events `{content, done}`: sentences, or tokens of a language model.',
    requestHeaders: { 'Cache-Control': 'no-cache: a new answer; no-store: and nothing is kept.' },
    body: { required: true, content: { 'application/json': summarizeRequestSchema } },
    answers: {
      200: {
        description: 'The pieces of the summary.',
        content: { 'text/event-stream': 'events' },
        headers: { 'X-Cache': '`hit` when the answer was kept from an earlier request, else `miss`.' },
      },
    },
    errors: workErrors,
  },
};
