import { createClient, type StudyMateClient } from '@studymate/client/client';
import { expect, test } from 'vitest';
import { operations } from '../src/openapi/operations.ts';

/**
 * What programs have no need of, or other clients of their own: OpenAI's routes, those of resumable uploads
 * (tus-js-client asks for them), health and the description itself.
 */
const isElsewhere = (key: string) =>
  ['OpenAI', 'Uploads', 'Service'].includes(operations[key as keyof typeof operations]?.tag ?? '');

/** Each method called once, in the shortest way. */
const calls: { [Name in keyof StudyMateClient]: (client: StudyMateClient) => unknown } = {
  uploadLecture: (client) => client.uploadLecture(new Blob(['x'])),
  startUpload: (client) => client.startUpload(new Blob(['x'])).cancel(),
  listLectures: (client) => client.listLectures(),
  getLecture: (client) => client.getLecture('1'),
  changeLecture: (client) => client.changeLecture('1', { title: 'x' }),
  deleteLecture: (client) => client.deleteLecture('1'),
  cancelLecture: (client) => client.cancelLecture('1'),
  retryStage: (client) => client.retryStage('1', 'summary'),
  followLecture: (client) => client.followLecture('1').next(),
  waitForLecture: (client) => client.waitForLecture('1'),
  getTranscript: (client) => client.getTranscript('1'),
  getPartialTranscript: (client) => client.getPartialTranscript('1'),
  editTranscript: (client) => client.editTranscript('1', [{ id: 0, text: 'x' }]),
  listTranscriptVersions: (client) => client.listTranscriptVersions('1'),
  getUnplacedCorrections: (client) => client.getUnplacedCorrections('1'),
  discardUnplacedCorrections: (client) => client.discardUnplacedCorrections('1'),
  restoreTranscript: (client) => client.restoreTranscript('1', 0),
  getChapters: (client) => client.getChapters('1'),
  getTopics: (client) => client.getTopics('1'),
  getSummary: (client) => client.getSummary('1'),
  getFlashcards: (client) => client.getFlashcards('1'),
  getQuiz: (client) => client.getQuiz('1'),
  getWaveform: (client) => client.getWaveform('1'),
  getReviews: (client) => client.getReviews('1'),
  addReviews: (client) => client.addReviews('1', []),
  clearReviews: (client) => client.clearReviews('1'),
  getExport: (client) => client.getExport('1', 'transcript', 'srt'),
  mediaUrl: (client) => client.mediaUrl('1'),
  getMedia: (client) => client.getMedia('1', { start: 5 }),
  search: (client) => client.search({ q: 'x' }),
  ask: (client) => client.ask({ question: 'x' }),
  askStream: (client) =>
    client
      .askStream({ question: 'x' })
      .next()
      .catch(() => {}),
  listConversations: (client) => client.listConversations(),
  getConversation: (client) => client.getConversation('1'),
  deleteConversation: (client) => client.deleteConversation('1'),
  getRelatedMoments: (client) => client.getRelatedMoments('1', 0),
  exportAll: (client) => client.exportAll(),
  listCourses: (client) => client.listCourses(),
  createCourse: (client) => client.createCourse('x'),
  getCourse: (client) => client.getCourse('1'),
  getCourseTopics: (client) => client.getCourseTopics('1', { topicCount: 5 }),
  changeCourse: (client) => client.changeCourse('1', { title: 'x' }),
  deleteCourse: (client) => client.deleteCourse('1'),
  addMember: (client) => client.addMember('1', 'bob'),
  removeMember: (client) => client.removeMember('1', 'bob'),
  transcribe: (client) => client.transcribe(new Blob(['x'])),
  topics: (client) => client.topics({ documents: ['x'] }),
  chapters: (client) => client.chapters({ sentences: ['x'] }),
  summarize: (client) => client.summarize({ text: 'x' }),
  summarizeStream: (client) => client.summarizeStream({ text: 'x' }).next(),
  modelStatus: (client) => client.modelStatus(),
  warmup: (client) => client.warmup(),
  signIn: (client) => client.signIn('x'),
  getSession: (client) => client.getSession(),
  signOut: (client) => client.signOut(),
};

test('the typed client has a method for every route, and each method asks for one that there is', async () => {
  const asked = new Set<string>();
  const client = createClient({
    baseUrl: 'http://x',
    fetch: async (input, init) => {
      const path = new URL(String(input)).pathname.split('/');
      const key = Object.keys(operations).find((each) => {
        const [method, pattern = ''] = each.split(' ');
        const parts = pattern.split('/');
        const fits = parts.length === path.length && parts.every((part, i) => part.startsWith(':') || part === path[i]);
        return method === (init?.method ?? 'GET') && fits;
      });
      asked.add(key ?? `${init?.method} ${path.join('/')}`);
      const isStream = /\/(events|stream)$/.test(String(input));
      return isStream
        ? new Response('event: end\ndata: {"status":"ready","content":"","done":true}\n\n')
        : Response.json({ models: [] });
    },
  });
  for (const call of Object.values(calls)) await call(client);
  expect([...asked].sort()).toEqual(
    Object.keys(operations)
      .filter((key) => !isElsewhere(key))
      .sort(),
  );
});
