import type { Lecture } from '@studymate/contracts/lecture';
import type { StageName } from '@studymate/contracts/stages';
import { useRef } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { findStage } from '../state/lecture-state.ts';
import type { Messages } from '../text/en.ts';
import { toMessage } from '../text/problems.ts';
import { Icon } from './icon.tsx';

interface Export {
  label: Exclude<keyof Messages['downloads'], 'title'>;
  /** Made from this stage. */
  stage: StageName;
  part: 'transcript' | 'chapters' | 'flashcards';
  ending: string;
}

const exports: readonly Export[] = [
  { label: 'text', stage: 'assemble', part: 'transcript', ending: 'txt' },
  { label: 'srt', stage: 'assemble', part: 'transcript', ending: 'srt' },
  { label: 'vtt', stage: 'assemble', part: 'transcript', ending: 'vtt' },
  { label: 'youtube', stage: 'chapters', part: 'chapters', ending: 'chapters.txt' },
  { label: 'anki', stage: 'flashcards', part: 'flashcards', ending: 'anki.txt' },
  { label: 'csv', stage: 'flashcards', part: 'flashcards', ending: 'csv' },
];

/**
 * Files to keep. Each is fetched first, so that a refusal (YouTube wants at least three chapters, for one) is shown
 * as a message and not saved as a file.
 */
export function Downloads({ lecture }: { lecture: Lecture | null }) {
  const { client, notices, messages } = useApp();
  const m = useMessages();
  const menu = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (menu.current !== null) menu.current.open = false;
  };
  const save = async ({ part, label, ending }: Export) => {
    if (lecture === null) return;
    close();
    try {
      saveText(await client.getExport(lecture.id, part, label), `${lecture.title}.${ending}`);
    } catch (error) {
      notices.note(toMessage(error, messages.peek()));
    }
  };
  return (
    <details
      ref={menu}
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !menu.current?.open) return;
        close();
        menu.current.querySelector('summary')?.focus();
      }}
      onFocusOut={(event) => {
        if (event.relatedTarget instanceof Node && !menu.current?.contains(event.relatedTarget)) close();
      }}
    >
      <summary class="button">
        <Icon name="download" />
        {m.downloads.title}
      </summary>
      <div class="menu-items card">
        {exports.map((item) => (
          <button
            key={item.label}
            class="menu-item"
            type="button"
            disabled={lecture === null || findStage(lecture, item.stage)?.status !== 'done'}
            onClick={() => void save(item)}
          >
            {m.downloads[item.label]}
          </button>
        ))}
      </div>
    </details>
  );
}

function saveText(text: string, fileName: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  // What no file system takes.
  link.download = fileName.replace(/[\\/:*?"<>|]/g, '_');
  link.click();
  URL.revokeObjectURL(url);
}
