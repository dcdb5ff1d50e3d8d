import { courseFieldsSchema, coursePageSchema, courseSchema } from '@studymate/contracts/course';
import { courseTopicsQuerySchema, courseTopicsSchema } from '@studymate/contracts/course-topics';
import { listCoursesQuerySchema } from '@studymate/contracts/queries';
import { type Answer, changeErrors, lectureErrors, type Operations, workErrors } from './operation.ts';

const course: Answer = {
  description: 'The course, with its members for its owner.',
  content: { 'application/json': courseSchema },
  headers: { ETag: 'The version of the course, in quotes.' },
};

export const courseOperations: Operations = {
  'GET /api/v1/courses': {
    tag: 'Courses',
    summary: 'Your courses and those shared with you, newest first, a page at a time.',
    query: listCoursesQuerySchema,
    answers: { 200: { description: 'A page.', content: { 'application/json': coursePageSchema } } },
    errors: [],
  },
  'POST /api/v1/courses': {
    tag: 'Courses',
    summary: 'A new course.',
    requestHeaders: { 'Idempotency-Key': 'For 24 hours the same key is the same course.' },
    body: { required: true, content: { 'application/json': courseFieldsSchema } },
    answers: { 201: { ...course, headers: { ...course.headers, Location: 'Where the course is.' } } },
    errors: ['limit_reached', 'idempotency_mismatch', 'not_found', 'storage_full'],
  },
  'GET /api/v1/courses/:id': {
    tag: 'Courses',
    summary: 'One course.',
    answers: { 200: course },
    errors: lectureErrors,
  },
  'PATCH /api/v1/courses/:id': {
    tag: 'Courses',
    summary: 'Changes the title.',
    requestHeaders: { 'If-Match': 'Only if the course still has this version.' },
    body: { required: true, content: { 'application/json': courseFieldsSchema } },
    answers: { 200: course },
    errors: [...changeErrors, 'version_mismatch', 'storage_full'],
  },
  'DELETE /api/v1/courses/:id': {
    tag: 'Courses',
    summary: 'Deletes the course; its lectures stay, in no course.',
    answers: { 204: { description: 'It is gone.' } },
    errors: changeErrors,
  },
  'GET /api/v1/courses/:id/topics': {
    tag: 'Courses',
    summary: 'Topics over its lectures, with the moments at which they are spoken of. They keep their ids.',
    query: courseTopicsQuerySchema,
    answers: { 200: { description: 'The topics.', content: { 'application/json': courseTopicsSchema } } },
    errors: [...lectureErrors, ...workErrors],
  },
  'PUT /api/v1/courses/:id/members/:owner': {
    tag: 'Courses',
    summary: 'Lets an owner read the course and its lectures.',
    answers: { 200: course },
    errors: [...changeErrors, 'limit_reached', 'storage_full'],
  },
  'DELETE /api/v1/courses/:id/members/:owner': {
    tag: 'Courses',
    summary: 'Takes that back; a member may leave.',
    answers: { 204: { description: 'They are no member.' } },
    errors: changeErrors,
  },
};
