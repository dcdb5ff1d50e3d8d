import type { StudyMateClient } from '@studymate/client/client';
import type { Lecture } from '@studymate/contracts/lecture';
import type { StageName } from '@studymate/contracts/stages';
import { el, icon, icons } from './dom.ts';
import { findStage } from './lecture-state.ts';

interface Export {
  label: string;
  /** Made from this stage. */
  stage: StageName;
  part: 'transcript' | 'chapters' | 'flashcards';
  format: string;
  ending: string;
}

const exports: readonly Export[] = [
  { label: 'Text', stage: 'assemble', part: 'transcript', format: 'text', ending: 'txt' },
  { label: 'Subtitles (SRT)', stage: 'assemble', part: 'transcript', format: 'srt', ending: 'srt' },
  { label: 'Subtitles (WebVTT)', stage: 'assemble', part: 'transcript', format: 'vtt', ending: 'vtt' },
  { label: 'Chapters for YouTube', stage: 'chapters', part: 'chapters', format: 'youtube', ending: 'chapters.txt' },
  { label: 'Cards for Anki', stage: 'flashcards', part: 'flashcards', format: 'anki', ending: 'anki.txt' },
  { label: 'Cards (CSV)', stage: 'flashcards', part: 'flashcards', format: 'csv', ending: 'csv' },
];

export interface Downloads {
  element: HTMLElement;
  update(lecture: Lecture): void;
}

/**
 * Files to keep. Each is fetched first, so that a refusal (YouTube wants at least three chapters, for one) is shown
 * as a message and not saved as a file.
 */
export function createDownloads(deps: {
  client: StudyMateClient;
  lectureId: string;
  onProblem(error: unknown): void;
}): Downloads {
  let title = 'lecture';
  const items = exports.map((item) => {
    const button = el('button', { class: 'menu-item', type: 'button', disabled: true }, [item.label], {
      async click() {
        menu.open = false;
        try {
          const text = await deps.client.getExport(deps.lectureId, item.part, item.format);
          saveText(text, `${title}.${item.ending}`);
        } catch (error) {
          deps.onProblem(error);
        }
      },
    });
    return { item, button };
  });
  const summary = el('summary', { class: 'button' }, [icon(icons.download), 'Download']);
  const menu = el(
    'details',
    { class: 'menu' },
    [
      summary,
      el(
        'div',
        { class: 'menu-items card' },
        items.map(({ button }) => button),
      ),
    ],
    {
      keydown(event) {
        if (event.key !== 'Escape' || !menu.open) return;
        menu.open = false;
        summary.focus();
      },
      focusout(event) {
        if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) menu.open = false;
      },
    },
  );
  return {
    element: menu,
    update(lecture) {
      title = lecture.title;
      for (const { item, button } of items) button.disabled = findStage(lecture, item.stage)?.status !== 'done';
    },
  };
}

function saveText(text: string, fileName: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = el('a', { href: url });
  // What no file system takes.
  link.download = fileName.replace(/[\\/:*?"<>|]/g, '_');
  link.click();
  URL.revokeObjectURL(url);
}
