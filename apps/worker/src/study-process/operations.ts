import type { ChaptersRequest, ChaptersResponse, SummarizeResponse } from '@studymate/contracts/requests';
import { findBoundaries, makeChapters, titleChapters } from '@studymate/study/chapters';
import { makeCourseTopics } from '@studymate/study/course-topics';
import type { Embeddings } from '@studymate/study/embeddings';
import { makeFlashcards } from '@studymate/study/flashcards';
import { makeSearchIndex } from '@studymate/study/search/make-search-index';
import { makeSummary, summarise } from '@studymate/study/summary';
import { findTopics, lectureTopics } from '@studymate/study/topics';

/**
 * The study algorithms by name. They are pure, but a long lecture keeps them busy for seconds, and that must not
 * stop the loop that renews the locks of jobs: so they run in a process of their own.
 */
export const studyOperations = {
  chapters: makeChapters,
  topics: lectureTopics,
  summary: makeSummary,
  flashcards: makeFlashcards,
  searchIndex: makeSearchIndex,

  courseTopics: makeCourseTopics,
  topicsOfDocuments: findTopics,

  chaptersOfSentences(input: ChaptersRequest & { embeddings: Embeddings }): ChaptersResponse {
    const boundaries = findBoundaries(input);
    return { boundaries, chapters: titleChapters({ sentences: input.sentences, boundaries }) };
  },

  summaryOfSentences(input: {
    sentences: string[];
    embeddings: Embeddings;
    maxSentences: number | undefined;
    opening: number | undefined;
  }): SummarizeResponse {
    const { indexes } = summarise(input);
    const sentences = indexes.map((index) => ({ text: input.sentences[index] ?? '', index }));
    return { summary: sentences.map((sentence) => sentence.text).join(' '), sentences };
  },
};

export type StudyOperations = typeof studyOperations;
export type StudyOperation = keyof StudyOperations;
