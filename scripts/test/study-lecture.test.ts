import { expect, test } from 'vitest';
import { studyLecture } from '../lib/study-lecture.mjs';

test('a file that could not even be sent: its entry has an error, and every other key as null', async () => {
  const entry = await studyLecture({
    apiUrl: 'http://127.0.0.1:1',
    filePath: '/no/such/recording.mp3',
    file: 'recording.mp3',
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  expect(entry).toEqual({
    file: 'recording.mp3',
    lectureId: null,
    transcript: null,
    chapters: null,
    topics: null,
    summary: null,
    flashcards: null,
    stages: null,
    firstWordsSeconds: null,
    realTimeFactor: null,
    error: { code: 'file_unreadable', message: expect.stringContaining('recording.mp3') },
  });
});
