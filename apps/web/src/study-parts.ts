import type { StudyMateClient } from '@studymate/client/client';
import type { Lecture } from '@studymate/contracts/lecture';
import type { StudyStageName } from '@studymate/contracts/stages';
import type { Chapter } from '@studymate/contracts/study';
import { createCardsPanel } from './cards-panel.ts';
import { createChaptersPanel } from './chapters-panel.ts';
import { stageLabels } from './status-text.ts';
import { createStudyPart, type StudyPart } from './study-part.ts';
import { createSummaryPanel } from './summary-panel.ts';
import type { Tab } from './tabs.ts';
import { createTopicsPanel } from './topics-panel.ts';

export interface StudyParts {
  tabs: Tab[];
  update(lecture: Lecture): void;
  setTime(seconds: number): void;
}

/** Summary, chapters, topics and cards: each comes when its stage is done, whatever happens to the others. */
export function createStudyParts(deps: {
  client: StudyMateClient;
  lectureId: string;
  onSeek(seconds: number): void;
  onChapters(chapters: readonly Chapter[]): void;
  onRetry(stage: StudyStageName): void;
  durationSeconds(): number;
}): StudyParts {
  const { client, lectureId, onRetry, onSeek } = deps;
  const summary = createSummaryPanel({ onSeek });
  const chapters = createChaptersPanel({ onSeek, onLevel: deps.onChapters });
  const topics = createTopicsPanel({ onSeek, durationSeconds: deps.durationSeconds });
  const cards = createCardsPanel({ onSeek });
  const parts: { stage: StudyStageName; part: StudyPart }[] = [
    {
      stage: 'summary',
      part: createStudyPart({ stage: 'summary', ...summary, load: () => client.getSummary(lectureId), onRetry }),
    },
    {
      stage: 'chapters',
      part: createStudyPart({ stage: 'chapters', ...chapters, load: () => client.getChapters(lectureId), onRetry }),
    },
    {
      stage: 'topics',
      part: createStudyPart({ stage: 'topics', ...topics, load: () => client.getTopics(lectureId), onRetry }),
    },
    {
      stage: 'flashcards',
      part: createStudyPart({ stage: 'flashcards', ...cards, load: () => client.getFlashcards(lectureId), onRetry }),
    },
  ];
  return {
    tabs: parts.map(({ stage, part }) => ({ id: stage, label: stageLabels[stage], content: part.element })),
    update(lecture) {
      for (const { part } of parts) part.update(lecture);
    },
    setTime: (seconds) => chapters.setTime(seconds),
  };
}
