import {
  chaptersArtifactSchema,
  flashcardsArtifactSchema,
  summaryArtifactSchema,
  topicsArtifactSchema,
} from '@studymate/contracts/artifacts';
import { AppError } from '@studymate/contracts/errors';
import {
  chaptersQuerySchema,
  flashcardsQuerySchema,
  jsonQuerySchema,
  summaryQuerySchema,
} from '@studymate/contracts/queries';
import { type Summary, type SummaryLength, summaryLengths } from '@studymate/contracts/study';
import type { Waveform } from '@studymate/contracts/waveform';
import { toVttChapters, toYoutubeChapters } from '@studymate/study/chapter-formats';
import { toAnkiTsv, toCsv } from '@studymate/study/flashcard-formats';
import { toFlashcard, toQuiz } from '@studymate/study/quiz';
import type { Router } from 'express';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { parseRequest } from '../http/json-body.ts';
import type { Services } from '../services.ts';
import { readManifest, readStageContent } from './artifact-reader.ts';
import type { LectureReader } from './lecture-reader.ts';
import { sendFile } from './send-file.ts';

/** Exports take one level of chapters; a list of all three would repeat every moment. */
const exportLevel = 'general';

/** /api/v1/lectures/:id/chapters, /topics, /summary, /flashcards, /quiz, /waveform */
export function addArtifactRoutes(router: Router, deps: { services: Services; reader: LectureReader }): void {
  const { reader } = deps;
  const { artifacts } = deps.services;

  addRoute(router, '/api/v1/lectures/:id/waveform', {
    async get(req, res) {
      parseRequest(jsonQuerySchema, req.query);
      const record = await reader.readRecord(ownerOf(res), req.params.id);
      const { durationSeconds, loudness = '' } = await readManifest(artifacts, record);
      res.json({ durationSeconds, values: [...Buffer.from(loudness, 'base64')] } satisfies Waveform);
    },
  });

  addRoute(router, '/api/v1/lectures/:id/chapters', {
    async get(req, res) {
      const { format, level } = parseRequest(chaptersQuerySchema, req.query);
      const record = await reader.readRecord(ownerOf(res), req.params.id);
      const all = await readStageContent(artifacts, record, 'chapters', chaptersArtifactSchema);
      const wanted = level ?? (format === 'json' ? undefined : exportLevel);
      const chapters = wanted === undefined ? all : all.filter((chapter) => chapter.level === wanted);
      if (format === 'json') {
        res.json(chapters);
      } else if (format === 'vtt') {
        sendFile(res, record, 'text/vtt', 'chapters.vtt', toVttChapters(chapters));
      } else {
        const made = toYoutubeChapters(chapters);
        if (!made.ok)
          throw new AppError('invalid_request', `These chapters cannot be given to YouTube: ${made.reason}`);
        sendFile(res, record, 'text/plain', 'chapters.txt', made.text);
      }
    },
  });

  addRoute(router, '/api/v1/lectures/:id/topics', {
    async get(req, res) {
      parseRequest(jsonQuerySchema, req.query);
      const record = await reader.readRecord(ownerOf(res), req.params.id);
      res.json(await readStageContent(artifacts, record, 'topics', topicsArtifactSchema));
    },
  });

  addRoute(router, '/api/v1/lectures/:id/summary', {
    async get(req, res) {
      const { length } = parseRequest(summaryQuerySchema, req.query);
      const record = await reader.readRecord(ownerOf(res), req.params.id);
      res.json(toLength(await readStageContent(artifacts, record, 'summary', summaryArtifactSchema), length));
    },
  });

  addRoute(router, '/api/v1/lectures/:id/flashcards', {
    async get(req, res) {
      const { format } = parseRequest(flashcardsQuerySchema, req.query);
      const record = await reader.readRecord(ownerOf(res), req.params.id);
      const kept = await readStageContent(artifacts, record, 'flashcards', flashcardsArtifactSchema);
      const cards = kept.map(toFlashcard);
      if (format === 'json') res.json(cards);
      else if (format === 'anki') sendFile(res, record, 'text/tab-separated-values', 'anki.txt', toAnkiTsv(cards));
      else sendFile(res, record, 'text/csv', 'csv', toCsv(cards));
    },
  });

  addRoute(router, '/api/v1/lectures/:id/quiz', {
    async get(req, res) {
      parseRequest(jsonQuerySchema, req.query);
      const record = await reader.readRecord(ownerOf(res), req.params.id);
      res.json(toQuiz(await readStageContent(artifacts, record, 'flashcards', flashcardsArtifactSchema)));
    },
  });
}

/** The statements of a summary of that length. */
function toLength(summary: Summary, length: SummaryLength): Summary {
  const longest = summaryLengths.indexOf(length);
  const statements = summary.statements.filter((each) => summaryLengths.indexOf(each.length ?? 'medium') <= longest);
  // Of a short lecture, or one that was summed up before there were lengths, there is only one.
  return { ...summary, statements: statements.length > 0 ? statements : summary.statements };
}
