import type { StudyMateClient } from '@studymate/client/client';
import type { Lecture } from '@studymate/contracts/lecture';
import type { StageName } from '@studymate/contracts/stages';
import { useRef } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { findStage, isStale } from '../state/lecture-state.ts';
import type { Messages } from '../text/en.ts';
import type { Notes } from '../text/markdown.ts';
import { toMessage } from '../text/problems.ts';
import { toMeta } from '../text/status-text.ts';
import { Icon } from './icon.tsx';

interface Export {
  label: Exclude<keyof Messages['downloads'], 'title' | 'markdown' | 'print'>;
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
  const { client, notices, messages, language } = useApp();
  const m = useMessages();
  const menu = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (menu.current !== null) menu.current.open = false;
  };
  const hasText = lecture !== null && findStage(lecture, 'assemble')?.status === 'done';
  const saveAs = async (ending: string, read: (given: Lecture) => Promise<string>) => {
    if (lecture === null) return;
    close();
    try {
      saveText(await read(lecture), `${lecture.title}.${ending}`);
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
        <button
          class="menu-item"
          type="button"
          disabled={!hasText}
          onClick={() =>
            void saveAs('md', async (given) => {
              const { toMarkdown } = await import('../text/markdown.ts');
              const meta = toMeta(given, m, language.toName);
              return toMarkdown({ ...(await readNotes(client, given)), meta }, m);
            })
          }
        >
          {m.downloads.markdown}
        </button>
        <button
          class="menu-item"
          type="button"
          disabled={!hasText}
          onClick={() => {
            close();
            window.print();
          }}
        >
          {m.downloads.print}
        </button>
        {exports.map((item) => (
          <button
            key={item.label}
            class="menu-item"
            type="button"
            disabled={lecture === null || findStage(lecture, item.stage)?.status !== 'done'}
            onClick={() => void saveAs(item.ending, ({ id }) => client.getExport(id, item.part, item.label))}
          >
            {m.downloads[item.label]}
          </button>
        ))}
      </div>
    </details>
  );
}

/** What there is of the lecture; a part that was not made is left out. */
async function readNotes(client: StudyMateClient, lecture: Lecture): Promise<Omit<Notes, 'meta'>> {
  const { id, title } = lecture;
  const ifMade = async <T,>(stage: StageName, read: () => Promise<T>): Promise<T | null> =>
    findStage(lecture, stage)?.status === 'done' ? read() : null;
  const [transcript, summary, chapters, cards] = await Promise.all([
    client.getTranscript(id),
    ifMade('summary', () => client.getSummary(id)),
    ifMade('chapters', () => client.getChapters(id, { level: 'general' })),
    ifMade('flashcards', () => client.getFlashcards(id)),
  ]);
  const { segments, version } = transcript;
  // Of this text, also where it was saved just now.
  const given = { ...lecture, transcriptVersion: version };
  const stale = new Set(lecture.stages.filter((stage) => isStale(given, stage)).map(({ name }) => name));
  return { title, summary, chapters: chapters ?? [], cards: cards ?? [], segments, stale };
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
