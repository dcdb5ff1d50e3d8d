import { toPlainError } from '@studymate/contracts/errors';
import type { QuickJobData } from '@studymate/queue/job-catalogue';
import type { QuickResult } from '@studymate/queue/quick';
import { type ClipDeps, transcribeClip } from './clip.ts';
import { type CourseTopicsDeps, keepCourseTopics } from './course-topics.ts';
import { chaptersOf, embeddingsOf, openingOf, summaryOf, type TextDeps, topicsOf } from './texts.ts';

export type QuickDeps = ClipDeps & TextDeps & CourseTopicsDeps;

/** Does a short piece of work that a request waits for. Errors are values here, so that their codes survive. */
export async function runQuickJob(deps: QuickDeps, data: QuickJobData, signal: AbortSignal): Promise<QuickResult> {
  try {
    return { ok: true, value: await answer(deps, data, signal) };
  } catch (error) {
    return { ok: false, error: toPlainError(error) };
  }
}

function answer(deps: QuickDeps, data: QuickJobData, signal: AbortSignal): Promise<unknown> {
  switch (data.kind) {
    case 'transcribe':
      return transcribeClip(deps, data, signal);
    case 'topics':
      return topicsOf(deps, data.request, signal);
    case 'chapters':
      return chaptersOf(deps, data.request, signal);
    case 'summarize':
      return summaryOf(deps, data.request, signal, data.opening);
    case 'opening':
      return openingOf(deps, data.text, signal);
    case 'embed':
      return embeddingsOf(deps, data.request, signal);
    case 'courseTopics':
      return keepCourseTopics(deps, data, signal);
    case 'warmup':
      deps.models.warm([data.family]);
      return Promise.resolve(null);
  }
}
