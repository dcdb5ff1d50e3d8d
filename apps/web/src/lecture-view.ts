import { ApiError } from '@studymate/client/api-error';
import type { StudyMateClient } from '@studymate/client/client';
import type { Lecture } from '@studymate/contracts/lecture';
import type { StageName } from '@studymate/contracts/stages';
import { confirmAction } from './confirm.ts';
import { el, setText } from './dom.ts';
import { createDownloads } from './downloads.ts';
import { toClock, toDay, toLanguageName } from './format.ts';
import {
  applyEvent,
  emptyLectureState,
  findRetryable,
  findStage,
  hasEnded,
  type LectureState,
} from './lecture-state.ts';
import { createPlayer } from './player.ts';
import { toMessage } from './problems.ts';
import type { Shell } from './shell.ts';
import { createStageStrip } from './stage-strip.ts';
import { stageLabels, toStatusText } from './status-text.ts';
import { createStudyParts } from './study-parts.ts';
import { createTabs } from './tabs.ts';
import { createTranscriptView } from './transcript-view.ts';
import type { View } from './view.ts';

const skipSeconds = 5;

/** One lecture: followed while it is made, studied afterwards. */
export function createLectureView(deps: {
  client: StudyMateClient;
  shell: Shell;
  lectureId: string;
  /** The moment that it opens at; null: its beginning. */
  atSeconds: number | null;
}): View {
  const { client, shell, lectureId, atSeconds } = deps;
  const over = new AbortController();
  let following: AbortController | null = null;
  let state: LectureState = emptyLectureState;

  const title = el('h1', { tabindex: -1, dir: 'auto' }, ['Lecture']);
  const meta = el('p', { class: 'lecture-meta' });
  const status = el('p', { class: 'lecture-status' }, ['Asking for the lecture …']);
  const warnings = el('ul', { class: 'warnings', 'aria-label': 'About the recording', hidden: true });
  const stages = createStageStrip();
  const downloads = createDownloads({ client, lectureId, onProblem: (error) => shell.note(toMessage(error)) });
  const cancel = actionButton('Cancel', async () => {
    await client.cancelLecture(lectureId);
  });
  const retry = actionButton('Try again', async () => {
    const stage = state.lecture && findRetryable(state.lecture);
    if (stage !== null) await retryStage(stage);
  });
  const remove = actionButton('Delete', async () => {
    const wanted = await confirmAction({
      title: `Delete “${state.lecture?.title ?? 'this lecture'}”?`,
      text: 'The recording and everything made of it will be gone. This cannot be undone.',
      action: 'Delete',
    });
    if (!wanted) return;
    following?.abort();
    await client.deleteLecture(lectureId);
    shell.note('The lecture has been deleted.');
    location.hash = '#/';
  });
  remove.classList.add('is-danger');

  const player = createPlayer({
    mediaUrl: client.mediaUrl(lectureId),
    startSeconds: atSeconds ?? 0,
    onTime(seconds, isPlaying) {
      transcript.setTime(seconds, isPlaying);
      parts.setTime(seconds);
      player.timeline.setTime(seconds);
    },
    onVideo: () => layout.classList.add('has-video'),
  });
  const transcript = createTranscriptView({ onSeek: player.playFrom });
  const parts = createStudyParts({
    client,
    lectureId,
    onSeek: player.playFrom,
    onChapters: (chapters) => player.timeline.setChapters(chapters),
    onRetry: (stage) => void act(() => retryStage(stage)),
    durationSeconds: () => state.lecture?.durationSeconds ?? 0,
  });
  const layout = el('div', { class: 'lecture' });
  const tabs = createTabs([{ id: 'transcript', label: 'Transcript', content: transcript.element }, ...parts.tabs], {
    label: 'Parts of the lecture',
    onChange: (id) => layout.classList.toggle('shows-transcript', id === 'transcript'),
  });
  const [transcriptPanel, ...studyPanels] = tabs.panels;
  layout.append(
    el('header', { class: 'lecture-head' }, [
      el('div', { class: 'lecture-heading' }, [title, meta]),
      el('div', { class: 'lecture-actions' }, [retry, cancel, downloads.element, remove]),
    ]),
    el('div', { class: 'lecture-progress' }, [status, stages.element, warnings]),
    tabs.list,
    ...(transcriptPanel === undefined ? [] : [transcriptPanel]),
    el('div', { class: 'study' }, studyPanels),
    player.element,
  );
  // On a large screen the transcript is always there, and the tabs are for what stands beside it.
  const wide = window.matchMedia(wideScreen);
  const suitScreen = () => tabs.select(wide.matches ? 'summary' : 'transcript');
  wide.addEventListener('change', suitScreen);
  suitScreen();

  function actionButton(text: string, action: () => Promise<void>): HTMLButtonElement {
    const button = el('button', { class: 'button', type: 'button', hidden: true }, [text], {
      async click() {
        button.disabled = true;
        await act(action);
        button.disabled = false;
      },
    });
    return button;
  }

  /** Does something the user asked for; says so when it cannot be done. */
  async function act(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (over.signal.aborted) return;
      shell.note(toMessage(error));
      if (following?.signal.aborted) void follow();
    }
  }

  async function retryStage(stage: StageName): Promise<void> {
    const lecture = await client.retryStage(lectureId, stage);
    setState({ ...applyEvent(state, { type: 'lecture', changes: lecture }) });
    // The stream of the earlier attempt has ended.
    void follow();
  }

  const setState = (next: LectureState) => {
    const before = state;
    state = next;
    const { lecture, segments } = next;
    if (lecture === null) return;
    if (segments !== before.segments || lecture !== before.lecture) transcript.update(segments, lecture.language);
    const isReached = atSeconds !== null && (segments.at(-1)?.end ?? 0) > atSeconds;
    if (isReached && !((before.segments.at(-1)?.end ?? 0) > atSeconds)) transcript.setTime(atSeconds, true);
    if (lecture === before.lecture) return;
    showLecture(lecture);
    parts.update(lecture);
    const news = findNews(before.lecture, lecture);
    if (news !== null) shell.announce(news);
  };

  const showLecture = (lecture: Lecture) => {
    const ended = hasEnded(lecture);
    setText(title, lecture.title);
    document.title = `${lecture.title} · StudyMate`;
    setText(meta, toMeta(lecture));
    setText(status, toStatusText(lecture));
    status.dataset.status = lecture.status;
    stages.update(lecture);
    downloads.update(lecture);
    transcript.setPlaceholder(toPlaceholder(lecture));
    cancel.hidden = ended;
    remove.hidden = false;
    retry.hidden = findRetryable(lecture) === null;
    warnings.hidden = lecture.warnings.length === 0;
    warnings.replaceChildren(...lecture.warnings.map(({ message }) => el('li', {}, [message])));
  };

  const follow = async () => {
    following?.abort();
    const mine = new AbortController();
    following = mine;
    const stop = () => mine.abort();
    over.signal.addEventListener('abort', stop);
    try {
      const events = client.followLecture(lectureId, { signal: mine.signal, onReconnect: shell.unreachable });
      for await (const event of events) {
        if (mine.signal.aborted) return;
        shell.reachable();
        setState(applyEvent(state, event));
      }
      if (mine.signal.aborted) return;
      // The end: what the events left out, and whether it is still there at all.
      setState(
        applyEvent(state, { type: 'lecture', changes: await client.getLecture(lectureId, { signal: mine.signal }) }),
      );
    } catch (error) {
      if (!mine.signal.aborted) showGone(error);
    } finally {
      over.signal.removeEventListener('abort', stop);
    }
  };

  const showGone = (error: unknown) => {
    if (!(error instanceof ApiError) || error.status !== 404) {
      shell.unreachable(error);
      return;
    }
    player.close();
    layout.className = 'message';
    layout.replaceChildren(
      el('h1', { tabindex: -1 }, ['This lecture is not here']),
      el('p', {}, ['It was deleted, or its address is not complete.']),
      el('p', {}, [el('a', { href: '#/' }, ['All lectures'])]),
    );
  };

  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    // Where a key has a meaning already it keeps it.
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest('button, a, input, select, textarea, summary, audio, video, dialog')) return;
    if (event.key === ' ' || event.key === 'k') player.toggle();
    else if (event.key === 'ArrowLeft') player.skip(-skipSeconds);
    else if (event.key === 'ArrowRight') player.skip(skipSeconds);
    else return;
    event.preventDefault();
  };
  document.addEventListener('keydown', onKey);
  void follow();

  return {
    element: layout,
    title: 'StudyMate',
    isApp: true,
    close() {
      over.abort();
      player.close();
      wide.removeEventListener('change', suitScreen);
      document.removeEventListener('keydown', onKey);
    },
  };
}

/** The same as in styles/screens.css. */
const wideScreen = '(min-width: 60rem) and (min-height: 34rem)';

function toMeta({ durationSeconds, language, createdAt }: Lecture): string {
  const parts = [
    durationSeconds === null ? null : toClock(durationSeconds),
    language === null ? null : toLanguageName(language),
    `sent ${toDay(createdAt)}`,
  ];
  return parts.filter((part) => part !== null).join(' · ');
}

function toPlaceholder(lecture: Lecture): string {
  if (lecture.status === 'failed') return 'There is no transcript, because the recording could not be worked on.';
  if (lecture.status === 'cancelled') return 'The lecture was cancelled before there was any text.';
  if (findStage(lecture, 'transcribe')?.status === 'skipped' || hasEnded(lecture)) {
    return 'Nobody speaks in this recording.';
  }
  return 'The first words will appear here.';
}

/** What a listener wants to be told; not every percentage. */
function findNews(before: Lecture | null, after: Lecture): string | null {
  if (before === null) return null;
  if (before.status !== after.status) return toStatusText(after);
  const done = after.stages.filter(
    ({ name, status }) => status === 'done' && findStage(before, name)?.status !== 'done',
  );
  return done.length === 0 ? null : `${done.map(({ name }) => stageLabels[name]).join(', ')}: done`;
}
