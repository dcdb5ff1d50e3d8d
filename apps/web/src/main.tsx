import { signal } from '@preact/signals';
import { ApiError } from '@studymate/client/api-error';
import { createClient } from '@studymate/client/client';
import { render } from 'preact';
import { Page, type PageProps } from './page.tsx';
import { acceptDrops } from './state/accept-drops.ts';
import { type App, AppContext } from './state/app.ts';
import { forgetAll } from './state/browser-memory.ts';
import { unsentPrefix } from './state/card-reviews.ts';
import { createCourseList } from './state/course-list.ts';
import { createCourseTerms } from './state/course-terms.ts';
import { createDraftMemory } from './state/draft-memory.ts';
import { createLanguage } from './state/language.ts';
import { createNotices } from './state/notices.ts';
import { createPerson } from './state/person.ts';
import { createPlaces } from './state/places.ts';
import { createRecorder } from './state/recorder.ts';
import { createRecordingMemory } from './state/recording-memory.ts';
import { forgetQuery, parseRoute, toLectureHash } from './state/route.ts';
import { createScrollMemory } from './state/scroll-memory.ts';
import { isSignedIn, rememberSignedIn } from './state/signed-in.ts';
import { createSingleKeys } from './state/single-keys.ts';
import { createSpokenLanguage } from './state/spoken-language.ts';
import { createUploadMemory } from './state/upload-memory.ts';
import { createUploads } from './state/uploads.ts';

const goOnAgainMs = 5_000;

/** Puts the page together; views come and go with the address. */
async function main(root: HTMLElement): Promise<void> {
  const notices = createNotices();
  const language = await createLanguage(navigator.languages);
  const { messages } = language;
  const place = signal<PageProps['place']['value']>({ route: parseRoute(location.hash), visit: 0, scrollY: 0 });
  const session = signal<'unknown' | 'signed-in' | 'asked'>(isSignedIn() ? 'signed-in' : 'unknown');
  const scrolled = createScrollMemory();
  const isHome = () => parseRoute(location.hash).name === 'home';

  const open = () => {
    notices.reachable();
    session.value = isSignedIn() ? 'signed-in' : 'unknown';
    place.value = { route: parseRoute(location.hash), visit: place.peek().visit + 1, scrollY: scrolled.leave() };
  };
  /** A link to another moment of the lecture that is open leaves its view as it is. */
  const follow = () => {
    const { route } = place.peek();
    const next = parseRoute(location.hash);
    const isSame = route.name === 'lecture' && next.name === 'lecture' && route.lectureId === next.lectureId;
    if (!isSame || session.peek() === 'asked') open();
    else place.value = { ...place.peek(), route: next, scrollY: scrolled.leave() };
  };
  /** Instead of whatever view it was that the API refused; several calls may be refused at once. */
  const askForKey = () => {
    rememberSignedIn(false);
    notices.reachable();
    session.value = 'asked';
  };
  const client = createClient({
    baseUrl: '',
    async fetch(input, init) {
      const response = await fetch(input, init);
      if (response.status === 401) askForKey();
      return response;
    },
  });
  const terms = createCourseTerms();
  const spoken = createSpokenLanguage();
  const uploads = createUploads({
    client,
    memory: createUploadMemory(),
    messages,
    readTerms: terms.read,
    readLanguage: () => spoken.code.peek(),
    onLecture(lecture, isOnly) {
      const text = messages.peek().upload.done(lecture.title);
      if (isOnly && isHome()) location.hash = toLectureHash(lecture.id);
      // The list shows it.
      else if (isHome()) notices.announce(text);
      else notices.note(text);
    },
    onUnauthenticated: askForKey,
  });
  const recorder = createRecorder({
    memory: createRecordingMemory(),
    readPerson: () => person.name.peek(),
    onRecorded: (file, courseId) => uploads.add([file], courseId === null ? {} : { courseId }),
    onLeft: (file, courseId) => uploads.add([file], { isLeftOver: true, ...(courseId !== null && { courseId }) }),
  });
  const courses = createCourseList({ client });
  const drafts = createDraftMemory();
  const places = createPlaces();
  const forgetTyped = () => {
    forgetAll(unsentPrefix);
    forgetQuery();
    terms.write('');
    spoken.choose(null);
    courses.forget();
    places.forgetAll();
  };
  const forgetEverything = async (left: string | null) => {
    await Promise.all([uploads.forgetAll(left), recorder.forgetAll(left), drafts.forgetAll(left)]);
    forgetTyped();
  };
  const person = createPerson({
    onOther: forgetTyped,
    onLeft(left) {
      askForKey();
      void forgetEverything(left);
    },
  });
  const app: App = {
    client,
    notices,
    uploads,
    recorder,
    courses,
    drafts,
    places,
    terms,
    spoken,
    singleKeys: createSingleKeys(),
    language,
    messages,
    person: person.name,
  };

  /** Lectures whose corrections would be gone with a sign-out that one is asked about; null: one is not asked. */
  const lostByLeaving = signal<PageProps['lostByLeaving']['value']>(null);
  const askToSignOut = async () => {
    const owner = person.name.peek();
    const left = owner === null ? [] : await drafts.list(owner);
    if (left.length > 0) lostByLeaving.value = left;
    else await signOut();
  };
  const signOut = async () => {
    try {
      await client.signOut();
    } catch (error) {
      notices.unreachable(error);
      return;
    }
    await forgetEverything(person.leave());
    rememberSignedIn(false);
    open();
  };
  let goOnTimer: ReturnType<typeof setTimeout> | undefined;
  const goOn = async () => {
    clearTimeout(goOnTimer);
    try {
      const { owner } = await client.getSession();
      person.meet(owner);
      await uploads.goOn(owner);
      await recorder.recover(owner);
    } catch (error) {
      // Asked for a key: it is tried again when there is one.
      if (error instanceof ApiError && error.status === 401) return;
      goOnTimer = setTimeout(() => void goOn(), goOnAgainMs);
    }
  };
  // A recording lives on in this browser, but what is said from now on would be missing; so would corrections that it
  // does not keep.
  window.addEventListener('beforeunload', (event) => {
    if (recorder.state.peek() === 'recording' || !drafts.isKept.peek()) event.preventDefault();
  });
  window.addEventListener('online', () => void goOn());
  window.addEventListener('hashchange', follow);
  acceptDrops((files) => {
    const route = parseRoute(location.hash);
    void uploads.add(files, route.name === 'course' ? { courseId: route.courseId } : {});
    if (route.name === 'lecture') location.hash = '#/';
  });
  render(
    <AppContext.Provider value={app}>
      <Page
        place={place}
        session={session}
        onSignedIn={(owner) => {
          rememberSignedIn(true);
          person.meet(owner);
          open();
          void goOn();
        }}
        lostByLeaving={lostByLeaving}
        onSignOut={() => void askToSignOut()}
        onLeave={(isSure) => {
          lostByLeaving.value = null;
          if (isSure) void signOut();
        }}
      />
    </AppContext.Provider>,
    root,
  );
  void goOn();
  // While the API is asked: the first date would cost a phone long enough to be felt when the answer is to be shown.
  setTimeout(() => new Date().toLocaleDateString(messages.peek().locale));
}

const root = document.getElementById('app');
if (root !== null) void main(root);
