import { type ReadonlySignal, useComputed } from '@preact/signals';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Confirm } from './parts/confirm.tsx';
import { Help } from './parts/help.tsx';
import { Shell } from './parts/shell.tsx';
import { useKeys } from './parts/use-keys.ts';
import { useMessages } from './state/app.ts';
import type { Route } from './state/route.ts';
import { keepScrolledTo } from './state/scroll-memory.ts';
import { CourseView } from './views/course-view.tsx';
import { HomeView } from './views/home-view.tsx';
import { LectureView } from './views/lecture-view.tsx';
import { SignInView } from './views/sign-in-view.tsx';

export interface PageProps {
  /** `visit` changes with each view, `route` also with each link within it. */
  place: ReadonlySignal<{ route: Route; visit: number; scrollY: number }>;
  session: ReadonlySignal<'unknown' | 'signed-in' | 'asked'>;
  onSignedIn(owner: string): void;
  /** Lectures with corrections that would be gone with a sign-out, which is asked about; null: it is not. */
  lostByLeaving: ReadonlySignal<readonly { lectureId: string; count: number }[] | null>;
  onSignOut(): void;
  /** The answer to that question. */
  onLeave(isSure: boolean): void;
}

/** The view that belongs to the address, or the question for the key. */
export function Page({ place, session, lostByLeaving, onSignedIn, onSignOut, onLeave }: PageProps) {
  const m = useMessages();
  const isAsked = session.value === 'asked';
  const { route, visit, scrollY } = place.value;
  const key = useComputed(() => `${session.value === 'asked'} ${place.value.visit}`).value;
  const seenKey = useRef<string | null>(null);
  const [showsHelp, setShowsHelp] = useState(false);
  const wantsSearch = useRef(false);
  useKeys({
    '?': () => setShowsHelp(true),
    '؟': () => setShowsHelp(true),
    // A lecture has a search of its own, which may have to be shown first.
    ...(route.name !== 'lecture' && {
      '/': () => {
        if (focusSearch() || isAsked) return;
        wantsSearch.current = true;
        location.hash = '#/';
      },
    }),
  });
  useLayoutEffect(() => {
    document.documentElement.lang = m.locale.split('-')[0] ?? 'en';
    document.documentElement.dir = m.direction;
  }, [m]);
  useLayoutEffect(() => {
    document.body.classList.toggle('is-app', !isAsked && route.name === 'lecture');
    document.title = 'StudyMate';
    const isFirst = seenKey.current === null;
    // The page begins at its top; to scroll there would make the browser lay it out before it has to.
    const stop = isFirst ? undefined : keepScrolledTo(scrollY);
    seenKey.current = key;
    // Where a reader of the screen begins to read.
    if (!isFirst) document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
    if (wantsSearch.current) wantsSearch.current = !focusSearch();
    return stop;
  }, [key, isAsked, route, scrollY]);
  return (
    <Shell onSignOut={session.value === 'signed-in' ? onSignOut : null} onHelp={() => setShowsHelp(true)}>
      {isAsked ? <SignInView onSignedIn={onSignedIn} /> : <View key={visit} route={route} />}
      {lostByLeaving.value !== null && (
        <Confirm
          title={m.drafts.leaveTitle}
          text={m.drafts.leaveText(lostByLeaving.value.length)}
          keep={m.drafts.stay}
          action={m.shell.signOut}
          onAnswer={onLeave}
        />
      )}
      {showsHelp && <Help onClose={() => setShowsHelp(false)} />}
    </Shell>
  );
}

function focusSearch(): boolean {
  const field = document.getElementById('search');
  field?.focus();
  return field !== null && document.activeElement === field;
}

function View({ route }: { route: Route }) {
  const m = useMessages();
  switch (route.name) {
    case 'home':
      return <HomeView query={route.query} />;
    case 'course':
      return <CourseView courseId={route.courseId} query={route.query} />;
    case 'lecture':
      return <LectureView route={route} />;
    default:
      return (
        <div class="message">
          <h1 tabIndex={-1}>{m.shell.unknownPage}</h1>
          <p>
            <a href="#/">{m.home.allLectures}</a>
          </p>
        </div>
      );
  }
}
