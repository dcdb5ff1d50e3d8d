import { changeLectureSchema, lecturePageSchema, lectureSchema } from '@studymate/contracts/lecture';
import {
  chaptersQuerySchema,
  flashcardsQuerySchema,
  jsonQuerySchema,
  listLecturesQuerySchema,
  summaryQuerySchema,
} from '@studymate/contracts/queries';
import {
  chapterSchema,
  flashcardSchema,
  lectureTopicSchema,
  quizQuestionSchema,
  summarySchema,
} from '@studymate/contracts/study';
import { lectureFromUploadSchema } from '@studymate/contracts/upload';
import { waveformSchema } from '@studymate/contracts/waveform';
import { z } from 'zod';
import * as fields from './form-fields.ts';
import {
  type Answer,
  asFile,
  changeErrors,
  fileErrors,
  lectureErrors,
  type Operations,
  partErrors,
} from './operation.ts';

const etag = { ETag: 'The version of the lecture, in quotes.' };
const lecture: Answer = { description: 'The lecture.', content: { 'application/json': lectureSchema } };
const created = {
  Location: 'Where the lecture is.',
  'Idempotent-Replayed': '`true` when this request has made nothing.',
};

export const lectureOperations: Operations = {
  'GET /api/v1/lectures': {
    tag: 'Lectures',
    summary: 'Your lectures, or those of a course shared with you, newest first, a page at a time.',
    query: listLecturesQuerySchema,
    answers: { 200: { description: 'A page.', content: { 'application/json': lecturePageSchema } } },
    errors: [],
  },
  'POST /api/v1/lectures': {
    tag: 'Lectures',
    summary: 'A recording becomes a lecture; the work on it begins.',
    isOutsideRate: true,
    requestHeaders: {
      'Idempotency-Key': 'For 24 hours the same key is the same lecture.',
      'Cache-Control': 'no-cache: a new lecture, also when there is an equal one.',
    },
    body: {
      required: true,
      content: {
        'multipart/form-data': {
          fields: {
            title: fields.title,
            language: fields.language,
            courseId: { description: 'The course it belongs to.', schema: { type: 'string' } },
            glossary: fields.glossary,
            callbackUrl: { description: 'Told when the work has ended.', schema: { type: 'string', maxLength: 2_000 } },
            file: fields.file,
          },
        },
        'application/json': lectureFromUploadSchema,
      },
    },
    answers: {
      202: {
        ...lecture,
        description: 'The new lecture, or yours that has the same Idempotency-Key, or the same recording and fields.',
        headers: created,
      },
    },
    errors: [
      ...fileErrors,
      'too_many_lectures',
      'unknown_course',
      'callback_refused',
      'idempotency_mismatch',
      'not_found',
      'newer_version',
      'upload_unfinished',
      'upload_gone',
      'upload_locked',
      'queue_unavailable',
    ],
  },
  'GET /api/v1/lectures/:id': {
    tag: 'Lectures',
    summary: 'One lecture.',
    answers: { 200: { ...lecture, headers: etag } },
    errors: lectureErrors,
  },
  'PATCH /api/v1/lectures/:id': {
    tag: 'Lectures',
    summary: 'Changes the title or the course.',
    requestHeaders: { 'If-Match': 'Only if the lecture still has this version.' },
    body: { required: true, content: { 'application/json': changeLectureSchema } },
    answers: { 200: { ...lecture, headers: etag } },
    errors: [...changeErrors, 'version_mismatch', 'unknown_course'],
  },
  'DELETE /api/v1/lectures/:id': {
    tag: 'Lectures',
    summary: 'Deletes the recording and everything made of it.',
    answers: { 204: { description: 'It is gone.' } },
    errors: changeErrors,
  },
  'POST /api/v1/lectures/:id/cancel': {
    tag: 'Lectures',
    summary: 'Ends the work on a lecture.',
    answers: { 202: lecture },
    errors: changeErrors,
  },
  'POST /api/v1/lectures/:id/stages/:stage/retry': {
    tag: 'Lectures',
    summary: 'Has a stage done once more, and what depends on it; `study`: all that read the transcript.',
    answers: { 202: lecture },
    errors: [...changeErrors, 'not_ready', 'queue_unavailable', 'too_many_lectures'],
  },
  'GET /api/v1/lectures/:id/events': {
    tag: 'Lectures',
    summary: 'What happens to a lecture, as server-sent events: snapshot, stage, segments, lecture, end.',
    isOutsideRate: true,
    query: z.object({ lastEventId: z.string().optional() }),
    requestHeaders: { 'Last-Event-ID': 'Goes on after this event.' },
    answers: {
      200: { description: 'Events until the lecture has ended.', content: { 'text/event-stream': 'events' } },
      204: { description: 'All events were seen.' },
    },
    errors: [...lectureErrors, 'queue_unavailable', 'too_many_requests', 'artifact_lost'],
  },
  'GET /api/v1/lectures/:id/media': {
    tag: 'Parts of a lecture',
    summary: 'The recording as it was uploaded.',
    isOutsideRate: true,
    requestHeaders: {
      Range: 'A part of it: `bytes=0-99`.',
      'If-None-Match': 'Not if it still has this ETag.',
      'If-Range': 'The whole of it, if it has another ETag.',
    },
    answers: {
      200: { description: 'All of it.', content: { '*/*': 'binary' }, headers: { ETag: 'Its hash.' } },
      206: { description: 'A part.', content: { '*/*': 'binary' }, headers: { 'Content-Range': 'Which part.' } },
      304: { description: 'It has not changed.' },
    },
    errors: [...lectureErrors, 'range_not_satisfiable'],
  },
  'GET /api/v1/lectures/:id/chapters': {
    tag: 'Parts of a lecture',
    summary: 'Titled spans, at three levels.',
    query: chaptersQuerySchema,
    answers: {
      200: {
        description: 'The chapters.',
        content: { 'application/json': z.array(chapterSchema), 'text/plain': 'text', 'text/vtt': 'text' },
        headers: asFile,
      },
    },
    errors: partErrors,
  },
  'GET /api/v1/lectures/:id/topics': {
    tag: 'Parts of a lecture',
    summary: 'Themes with weighted terms and the spans in which they are spoken of.',
    query: jsonQuerySchema,
    answers: { 200: { description: 'The topics.', content: { 'application/json': z.array(lectureTopicSchema) } } },
    errors: partErrors,
  },
  'GET /api/v1/lectures/:id/summary': {
    tag: 'Parts of a lecture',
    summary: 'Statements and key terms, each with its moment, in three lengths.',
    query: summaryQuerySchema,
    answers: { 200: { description: 'The summary.', content: { 'application/json': summarySchema } } },
    errors: partErrors,
  },
  'GET /api/v1/lectures/:id/waveform': {
    tag: 'Parts of a lecture',
    summary: 'How loud the recording is in the course of time, for a picture of it.',
    query: jsonQuerySchema,
    answers: { 200: { description: 'At most 1,800 values.', content: { 'application/json': waveformSchema } } },
    errors: partErrors,
  },
  'GET /api/v1/lectures/:id/flashcards': {
    tag: 'Parts of a lecture',
    summary: 'Cards to learn from, in the order of the lecture.',
    query: flashcardsQuerySchema,
    answers: {
      200: {
        description: 'The cards.',
        content: {
          'application/json': z.array(flashcardSchema),
          'text/tab-separated-values': 'text',
          'text/csv': 'text',
        },
        headers: asFile,
      },
    },
    errors: partErrors,
  },
  'GET /api/v1/lectures/:id/quiz': {
    tag: 'Parts of a lecture',
    summary: 'Questions with four answers each, made of the cards, in the order of the lecture.',
    query: jsonQuerySchema,
    answers: {
      200: { description: 'The questions.', content: { 'application/json': z.array(quizQuestionSchema) } },
    },
    errors: partErrors,
  },
};
