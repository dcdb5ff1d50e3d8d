import { healthSchema, modelStatusesSchema, readinessSchema } from '@studymate/contracts/answers';
import { warmupRequestSchema } from '@studymate/contracts/models';
import { exportQuerySchema } from '@studymate/contracts/queries';
import { sessionRequestSchema, sessionSchema } from '@studymate/contracts/session';
import { z } from 'zod';
import type { Operation, Operations } from './operation.ts';

const alive: Operation = {
  tag: 'Service',
  summary: 'Whether the process answers; looks at nothing else.',
  isOpen: true,
  isOutsideRate: true,
  answers: { 200: { description: 'It does.', content: { 'application/json': healthSchema } } },
  errors: [],
};
const session = { 'application/json': sessionSchema };

export const serviceOperations: Operations = {
  'GET /api/v1/export': {
    tag: 'Lectures',
    summary: 'All that you have, as a tape archive of JSON files, with the recordings if you like.',
    query: exportQuerySchema,
    answers: {
      200: {
        description: 'The archive; its last file, export.json, says that it is whole.',
        content: { 'application/x-tar': 'binary' },
        headers: { 'Content-Disposition': 'A file name.' },
      },
    },
    errors: [],
  },
  'GET /health/fast': alive,
  'GET /health/live': { ...alive, summary: 'Whether the API is loaded.' },
  'GET /health/ready': {
    tag: 'Service',
    summary: 'Whether Redis and the store can be used.',
    isOpen: true,
    isOutsideRate: true,
    answers: {
      200: { description: 'Both can.', content: { 'application/json': readinessSchema } },
      503: { description: 'One cannot.', content: { 'application/json': readinessSchema } },
    },
    errors: [],
  },
  'GET /openapi.json': {
    tag: 'Service',
    summary: 'This description.',
    isOpen: true,
    answers: { 200: { description: 'OpenAPI 3.1.', content: { 'application/json': z.looseObject({}) } } },
    errors: [],
  },
  'GET /docs': {
    tag: 'Service',
    summary: 'This description, to be read.',
    isOpen: true,
    answers: { 200: { description: 'A page.', content: { 'text/html': 'text' } } },
    errors: [],
  },
  'GET /api/v1/session': {
    tag: 'Session',
    summary: 'Whose key or token the request has.',
    answers: { 200: { description: 'The owner.', content: session } },
    errors: [],
  },
  'POST /api/v1/session': {
    tag: 'Session',
    summary: 'Turns a key or a token into a cookie, for pages.',
    isOpen: true,
    body: { required: true, content: { 'application/json': sessionRequestSchema } },
    answers: { 200: { description: 'The owner.', content: session, headers: { 'Set-Cookie': 'The cookie.' } } },
    errors: ['unauthenticated', 'identity_unavailable'],
  },
  'DELETE /api/v1/session': {
    tag: 'Session',
    summary: 'Takes the cookie back.',
    isOpen: true,
    answers: { 204: { description: 'It is gone.', headers: { 'Set-Cookie': 'An empty one.' } } },
    errors: [],
  },
  'GET /api/v1/models/status': {
    tag: 'Models',
    summary: "What the workers' models are doing.",
    answers: { 200: { description: 'One entry a family.', content: { 'application/json': modelStatusesSchema } } },
    errors: ['queue_unavailable'],
  },
  'POST /api/v1/warmup': {
    tag: 'Models',
    summary: 'Has models loaded, and does not wait for it.',
    body: { required: false, content: { 'application/json': warmupRequestSchema } },
    answers: {
      202: { description: 'As they were when it was asked.', content: { 'application/json': modelStatusesSchema } },
    },
    errors: ['queue_unavailable'],
  },
};
