import { signal } from '@preact/signals';
import { createClient } from '@studymate/client/client';
import { render } from 'preact';
import { Page, type PageProps } from './page.tsx';
import { acceptDrops } from './state/accept-drops.ts';
import { type App, AppContext } from './state/app.ts';
import { forgetAll } from './state/browser-memory.ts';
import { unsentPrefix } from './state/card-reviews.ts';
import { createCourseList } from './state/course-list.ts';
import { createCourseTerms } from './state/course-terms.ts';
import { createLanguage } from './state/language.ts';
import { createNotices } from './state/notices.ts';
import { createRecorder } from './state/recorder.ts';
import { createRecordingMemory } from './state/recording-memory.ts';
import { parseRoute, toLectureHash } from './state/route.ts';
import { isSignedIn, rememberSignedIn } from './state/signed-in.ts';
import { createSpokenLanguage } from './state/spoken-language.ts';
import { createUploadMemory } from './state/upload-memory.ts';
import { createUploads } from './state/uploads.ts';

/** Puts the page together; views come and go with the address. */
async function main(root: HTMLElement): Promise<void> {
  const notices = createNotices();
  const language = await createLanguage(navigator.languages);
  const { messages } = language;
  const place = signal<PageProps['place']['value']>({ route: parseRoute(location.hash), visit: 0 });
  const session = signal<'unknown' | 'signed-in' | 'asked'>(isSignedIn() ? 'signed-in' : 'unknown');
  const isHome = () => parseRoute(location.hash).name === 'home';

  const open = () => {
    notices.reachable();
    session.value = isSignedIn() ? 'signed-in' : 'unknown';
    place.value = { route: parseRoute(location.hash), visit: place.peek().visit + 1 };
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
      if (isOnly && isHome()) location.hash = toLectureHash(lecture.id);
      else notices.note(messages.peek().upload.done(lecture.title));
    },
    onUnauthenticated: askForKey,
  });
  const recorder = createRecorder({
    memory: createRecordingMemory(),
    onRecorded: (file, courseId) => uploads.add([file], courseId === null ? {} : { courseId }),
    onLeft: (file, courseId) => uploads.add([file], { isLeftOver: true, ...(courseId !== null && { courseId }) }),
  });
  const person = signal<string | null>(null);
  const courses = createCourseList({ client });
  const app: App = { client, notices, uploads, recorder, courses, terms, spoken, language, messages, person };

  const signOut = async () => {
    try {
      await client.signOut();
    } catch (error) {
      notices.unreachable(error);
      return;
    }
    await Promise.all([uploads.forgetAll(), recorder.forgetAll()]);
    forgetAll(unsentPrefix);
    rememberSignedIn(false);
    open();
  };
  const goOn = async () => {
    try {
      const { owner } = await client.getSession();
      person.value = owner;
      await uploads.goOn(owner);
      await recorder.recover();
    } catch {
      // Asked for a key, or away: it is tried again when there is one, or when the connection is back.
    }
  };
  // A recording lives on in this browser, but what is said from now on would be missing.
  window.addEventListener('beforeunload', (event) => {
    if (recorder.state.peek() === 'recording') event.preventDefault();
  });
  window.addEventListener('online', () => void goOn());
  window.addEventListener('hashchange', open);
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
        onSignedIn={() => {
          rememberSignedIn(true);
          open();
          void goOn();
        }}
        onSignOut={() => void signOut()}
      />
    </AppContext.Provider>,
    root,
  );
  void goOn();
}

const root = document.getElementById('app');
if (root !== null) void main(root);
