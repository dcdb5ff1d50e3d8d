import { useComputed, useSignal } from '@preact/signals';
import type { Chapter } from '@studymate/contracts/study';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { AskPanel } from '../parts/ask-panel.tsx';
import { ChaptersPanel } from '../parts/chapters-panel.tsx';
import { toLazy } from '../parts/lazy.tsx';
import { LectureHead } from '../parts/lecture-head.tsx';
import { loadEditing } from '../parts/load-editing.ts';
import { Player } from '../parts/player.tsx';
import { StageStrip } from '../parts/stage-strip.tsx';
import { StudyPane } from '../parts/study-pane.tsx';
import { SummaryPanel } from '../parts/summary-panel.tsx';
import { panelProps, type TabItem, Tabs } from '../parts/tabs.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { TopicsPanel } from '../parts/topics-panel.tsx';
import { Transcript } from '../parts/transcript.tsx';
import { useKeys } from '../parts/use-keys.ts';
import { useTab } from '../parts/use-tab.ts';
import { WaveformPicture } from '../parts/waveform.tsx';
import { useApp, useMessages } from '../state/app.ts';
import { chaptersOf } from '../state/chapter-levels.ts';
import { hasNoText } from '../state/lecture-state.ts';
import { createOpenLecture } from '../state/open-lecture.ts';
import type { LecturePart, LectureRoute } from '../state/route.ts';
import { toClock } from '../text/format.ts';
import { toReason } from '../text/problems.ts';
import { toPlaceholder, toStatusText } from '../text/status-text.ts';

/** Comes with the scheduler of its cards when it is first shown. */
const CardsPanel = toLazy(() => import('../parts/cards-panel.tsx'));

const skipSeconds = 5;
const jumpSeconds = 15;

/**
 * One lecture: followed while it is made, studied afterwards.
 * @param props.route another one of the same lecture leads to its moment and part, and leaves all else as it is
 */
export function LectureView({ route }: { route: LectureRoute }) {
  const { lectureId, atSeconds } = route;
  const app = useApp();
  const m = useMessages();
  const open = useMemo(() => createOpenLecture({ app, lectureId, atSeconds, loadEditing }), [app, lectureId]);
  useEffect(() => {
    const { startSeconds } = open;
    if (atSeconds === null && startSeconds !== null) app.notices.note(m.player.goesOn(toClock(startSeconds)));
    return () => open.close();
  }, [open]);
  const { follower, playback, parts } = open;
  const { lecture, segments } = follower.state.value;
  const [hasVideo, setHasVideo] = useState(false);
  const [tab, selectTab] = useTab(route);
  const opened = useRef(route);
  useEffect(() => {
    if (route === opened.current) return;
    opened.current = route;
    if (atSeconds !== null) playback.goTo(atSeconds);
  }, [route, playback]);
  const level = useSignal<Chapter['level']>('general');
  const shownChapters = useComputed(() => chaptersOf(parts.chapters.value.value ?? [], level.value));
  const speed = (by: 1 | -1) => app.notices.note(m.player.speed(playback.stepSpeed(by)));
  useKeys({
    ' ': playback.toggle,
    k: playback.toggle,
    ArrowLeft: () => playback.skip(-skipSeconds),
    ArrowRight: () => playback.skip(skipSeconds),
    j: () => playback.skip(-jumpSeconds),
    l: () => playback.skip(jumpSeconds),
    '<': () => speed(-1),
    '>': () => speed(1),
    '/': () => searchHere(selectTab),
  });
  useEffect(() => {
    if (lecture !== null) document.title = `${lecture.title} · StudyMate`;
  }, [lecture, route]);

  if (follower.isGone.value) {
    return (
      <div class="message">
        <h1 tabIndex={-1}>{m.lecture.gone}</h1>
        <p>{m.lecture.goneWhy}</p>
        <p>
          <a href="#/">{m.home.allLectures}</a>
        </p>
      </div>
    );
  }
  const onSeek = playback.playFrom;
  const makeAgain = () => void open.retryStage('study');
  const isWithoutText = hasNoText({ lecture, segments });
  const pane = { lecture, selected: tab, onRetry: open.retryStage };
  const classes = ['lecture', hasVideo && 'has-video', tab === 'transcript' && 'shows-transcript'];
  const tabs: readonly TabItem<LecturePart>[] = [
    { id: 'transcript', label: m.transcript.title },
    ...Object.values(parts).map(({ stage }) => ({ id: stage, label: m.stages[stage] })),
    { id: 'ask', label: m.ask.title },
  ];
  return (
    <div class={classes.filter(Boolean).join(' ')}>
      <LectureHead open={open} />
      <div class="lecture-progress">
        <p class="lecture-status" data-status={lecture?.status}>
          {lecture === null ? m.lecture.asking : toStatusText(lecture, m)}
        </p>
        <StageStrip lecture={lecture} />
        <ul class="warnings" aria-label={m.lecture.warnings} hidden={!lecture?.warnings.length}>
          {lecture?.warnings.map((warning) => (
            <li key={warning.code}>{toReason(warning, m.warnings)}</li>
          ))}
        </ul>
      </div>
      <Tabs tabs={tabs} label={m.lecture.parts} selected={tab} onSelect={selectTab} />
      <Transcript
        segments={segments}
        placeholder={lecture === null ? '' : toPlaceholder(lecture, m)}
        playback={playback}
        selected={tab}
        atSeconds={open.startSeconds}
        lecture={lecture}
        hasNoText={isWithoutText}
        editing={open.editing}
        onMakeAgain={makeAgain}
      />
      <div class="study">
        <StudyPane part={parts.summary} {...pane}>
          {(summary) => <SummaryPanel summary={summary} onSeek={onSeek} />}
        </StudyPane>
        <StudyPane part={parts.chapters} {...pane}>
          {(chapters) => (
            <ChaptersPanel
              lectureId={lectureId}
              chapters={chapters}
              shown={shownChapters}
              playback={playback}
              onLevel={(chosen) => {
                level.value = chosen;
              }}
            />
          )}
        </StudyPane>
        <StudyPane part={parts.topics} {...pane}>
          {(topics) => <TopicsPanel topics={topics} durationSeconds={lecture?.durationSeconds ?? 0} onSeek={onSeek} />}
        </StudyPane>
        <StudyPane part={parts.flashcards} {...pane}>
          {(cards) => <CardsPanel lectureId={lectureId} cards={cards} onSeek={onSeek} />}
        </StudyPane>
        <section {...panelProps('ask', tab, 'part pane')}>
          <AskPanel
            lectureId={lectureId}
            lecture={lecture}
            hasNoText={isWithoutText}
            onSeek={onSeek}
            onMakeAgain={makeAgain}
          />
        </section>
      </div>
      <Player
        mediaUrl={app.client.mediaUrl(lectureId)}
        playback={playback}
        isNeeded={!isWithoutText}
        onVideo={() => setHasVideo(true)}
      >
        <WaveformPicture waveform={open.waveform.value} playback={playback} />
        <Timeline chapters={shownChapters} playback={playback} />
      </Player>
    </div>
  );
}

/** On a small screen the field is in a tab that has to be opened first. */
function searchHere(selectTab: (id: LecturePart) => void): void {
  const field = document.getElementById('search');
  if (field?.offsetParent === null) selectTab('transcript');
  requestAnimationFrame(() => field?.focus());
}
