import {
  conversationListSchema,
  conversationSchema,
  conversationsQuerySchema,
} from '@studymate/contracts/conversation';
import {
  askRequestSchema,
  askResponseSchema,
  relatedQuerySchema,
  relatedResponseSchema,
  searchQuerySchema,
  searchResponseSchema,
} from '@studymate/contracts/search';
import { lectureErrors, type Operations, partErrors } from './operation.ts';

/** What is found in lectures, and what was asked about them. */
export const searchOperations: Operations = {
  'GET /api/v1/search': {
    tag: 'Search and questions',
    summary: 'Moments of your lectures in which something is said.',
    query: searchQuerySchema,
    answers: { 200: { description: 'The moments.', content: { 'application/json': searchResponseSchema } } },
    errors: [...lectureErrors, 'artifact_lost', 'cancelled', 'model_loading', 'queue_unavailable'],
  },
  'POST /api/v1/ask': {
    tag: 'Search and questions',
    summary:
      'The passages of your lectures that answer a question, or that none does; and what a language model says of it.',
    requestHeaders: { Accept: 'text/event-stream: the passages first, then statement by statement; as `stream` does.' },
    body: { required: true, content: { 'application/json': askRequestSchema } },
    answers: {
      200: {
        description: 'The passages; or the events `passages`, `statement` and `answer`.',
        content: { 'application/json': askResponseSchema, 'text/event-stream': 'events' },
      },
    },
    errors: [...lectureErrors, 'artifact_lost', 'cancelled', 'queue_unavailable'],
  },
  'GET /api/v1/lectures/:id/chapters/:index/related': {
    tag: 'Search and questions',
    summary: 'Moments of other lectures that treat the same thing as a chapter.',
    query: relatedQuerySchema,
    answers: { 200: { description: 'The moments.', content: { 'application/json': relatedResponseSchema } } },
    errors: [...partErrors, 'artifact_lost'],
  },
  'GET /api/v1/conversations': {
    tag: 'Search and questions',
    summary: 'What you have asked: your conversations, those that were begun last first.',
    query: conversationsQuerySchema,
    answers: { 200: { description: 'The conversations.', content: { 'application/json': conversationListSchema } } },
    errors: ['newer_version'],
  },
  'GET /api/v1/conversations/:id': {
    tag: 'Search and questions',
    summary: 'The questions of a conversation, and where their answers lie.',
    answers: { 200: { description: 'The conversation.', content: { 'application/json': conversationSchema } } },
    errors: ['not_found', 'newer_version'],
  },
  'DELETE /api/v1/conversations/:id': {
    tag: 'Search and questions',
    summary: 'Forgets a conversation.',
    answers: { 204: { description: 'It is gone.' } },
    errors: ['not_found'],
  },
};
