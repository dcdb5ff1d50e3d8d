import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import type { App } from './app.ts';
import type { LectureFollower } from './lecture-follower.ts';
import { isAssembled } from './lecture-state.ts';
import type { TranscriptEditor, TranscriptEditorDeps } from './transcript-editor.ts';

/** The corrections of the lecture that is looked at, while somebody is at them and while they wait. */
export interface OpenEditor {
  /** null while nobody corrects the text. */
  editor: ReadonlySignal<TranscriptEditor | null>;
  /** How many segments were corrected in this browser and not saved. */
  unsaved: ReadonlySignal<number>;
  start(): Promise<void>;
  stop(): void;
  /** Throws away what has no place in a text that was made anew, of all that was ever saved. */
  discardUnplaced(version: number): Promise<void>;
  /** The lecture is no more. */
  forget(): void;
  close(): void;
}

export interface OpenEditorDeps {
  app: App;
  lectureId: string;
  follower: LectureFollower;
  /** The code for it is not there before it is wanted. */
  loadEditing(): Promise<{ createTranscriptEditor(deps: TranscriptEditorDeps): TranscriptEditor }>;
}

/** Longer than a save takes on a slow line: a laptop that slept, or a network that wants a sign-in, never answers. */
const answerWithinMs = 60_000;
const limit = () => ({ signal: AbortSignal.timeout(answerWithinMs) });

export function createOpenEditor(deps: OpenEditorDeps): OpenEditor {
  const { app, lectureId, follower } = deps;
  const { client, drafts } = app;
  const editor = signal<TranscriptEditor | null>(null);
  const waiting = signal(0);
  const segments = computed(() => follower.state.value.segments);
  let isStarting = false;
  let isClosed = false;

  const count = async (owner: string) => {
    waiting.value = (await drafts.read({ owner, lectureId })).length;
  };
  const stopCounting = effect(() => {
    const owner = app.person.value;
    if (owner !== null) void count(owner);
  });
  const stop = () => {
    const left = editor.peek();
    if (left === null) return;
    left.close();
    waiting.value = left.unsaved.peek();
    editor.value = null;
  };
  // Transcribed anew: what was written waits until there is a text again.
  const stopWithoutText = effect(() => {
    const { lecture } = follower.state.value;
    if (lecture !== null && !isAssembled(lecture)) stop();
  });
  const begin = async (owner: string) => {
    const [{ createTranscriptEditor }, left] = await Promise.all([
      deps.loadEditing(),
      drafts.read({ owner, lectureId }),
      follower.refreshText(),
    ]);
    if (isClosed) return;
    editor.value = createTranscriptEditor({
      draftOf: { owner, lectureId },
      left,
      segments,
      memory: drafts,
      readVersion: () => follower.state.peek().textVersion,
      store: {
        readText: async (version) => (await client.getTranscript(lectureId, { version, ...limit() })).segments,
        save: (changed, version) => client.editTranscript(lectureId, changed, { version, ...limit() }),
        restore: (to, version) => client.restoreTranscript(lectureId, to, { version, ...limit() }),
        listVersions: () => client.listTranscriptVersions(lectureId, limit()),
      },
      onEdited: follower.showEdited,
      refresh: follower.refreshText,
    });
  };
  return {
    editor,
    unsaved: computed(() => editor.value?.unsaved.value ?? waiting.value),
    async start() {
      const owner = app.person.peek();
      if (isStarting || editor.peek() !== null || owner === null) return;
      isStarting = true;
      try {
        await begin(owner);
      } finally {
        isStarting = false;
      }
    },
    stop,
    async discardUnplaced(version) {
      try {
        follower.showEdited(await client.discardUnplacedCorrections(lectureId, { version, ...limit() }));
      } finally {
        // The study parts are then of this version; or there is another one by now.
        await follower.refreshLecture();
      }
    },
    forget() {
      stop();
      const owner = app.person.peek();
      if (owner !== null) void drafts.forget({ owner, lectureId });
    },
    close() {
      isClosed = true;
      stopCounting();
      stopWithoutText();
      stop();
    },
  };
}
