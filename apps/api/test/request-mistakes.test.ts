import { AppError } from '@studymate/contracts/errors';
import { chaptersRequestSchema, summarizeRequestSchema, topicsRequestSchema } from '@studymate/contracts/requests';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseRequest } from '../src/http/json-body.ts';

const query = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  format: z.enum(['json', 'srt']).default('json'),
  only: z.literal('json').default('json'),
});

function refuse(schema: z.ZodType, value: unknown): AppError {
  try {
    parseRequest(schema, value);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

test.each<[z.ZodType, unknown, string]>([
  [topicsRequestSchema, {}, 'documents: is missing; it must be a list'],
  [topicsRequestSchema, [], 'the body: must be an object'],
  [topicsRequestSchema, null, 'the body: must be an object'],
  [topicsRequestSchema, { documents: 'a' }, 'documents: must be a list'],
  [topicsRequestSchema, { documents: [] }, 'documents: must not be empty'],
  [topicsRequestSchema, { documents: ['a', 5] }, 'documents.1: must be a text or an object'],
  [topicsRequestSchema, { documents: [' '] }, 'documents.0: must not be empty'],
  [topicsRequestSchema, { documents: ['x'.repeat(20_001)] }, 'documents.0: must have at most 20000 characters'],
  [topicsRequestSchema, { documents: [{ id: 1, text: 'x' }] }, 'documents.0.id: must be a text'],
  [topicsRequestSchema, { documents: [{ id: 'a' }] }, 'documents.0.text: is missing; it must be a text'],
  [topicsRequestSchema, { documents: ['a'], topicCount: 1.5 }, 'topicCount: must be a whole number'],
  [topicsRequestSchema, { documents: ['a'], topicCount: '3' }, 'topicCount: must be a number'],
  [topicsRequestSchema, { documents: ['a'], topicCount: 0 }, 'topicCount: must be at least 1'],
  [chaptersRequestSchema, { sentences: [null] }, 'sentences.0: must be a text'],
  [chaptersRequestSchema, { sentences: Array(10_001).fill('a') }, 'sentences: must have at most 10000 entries'],
  [summarizeRequestSchema, { text: 'x', maxSentences: 101 }, 'maxSentences: must be at most 100'],
  [query, { limit: 'many' }, 'limit: must be a number'],
  [query, { limit: '1.5' }, 'limit: must be a whole number'],
  [query, { limit: '0' }, 'limit: must be at least 1'],
  [query, { format: 'pdf' }, 'format: must be one of json, srt'],
  [query, { format: ['json', 'srt'] }, 'format: must be one of json, srt'],
  [query, { only: 'srt' }, 'only: must be json'],
])('a request that is not as the route expects (%#): the message names the field and what is expected', (...given) => {
  const [schema, value, message] = given;
  const error = refuse(schema, value);
  expect([error.code, error.message]).toEqual(['invalid_request', message]);
});

test('a request with several mistakes: details has each, and no more than twenty', () => {
  const error = refuse(topicsRequestSchema, { documents: [''], topicCount: 'x' });
  expect(error.details).toEqual({
    details: [
      { path: 'documents.0', message: 'must not be empty' },
      { path: 'topicCount', message: 'must be a number' },
    ],
  });
  expect(refuse(chaptersRequestSchema, { sentences: Array(50).fill(1) }).details?.details).toHaveLength(20);
});
