import './styles/page.css';
import { createClient } from '@studymate/client/client';
import { createCourseTerms } from './course-terms.ts';
import { el } from './dom.ts';
import { createHomeView } from './home-view.ts';
import { createLectureView } from './lecture-view.ts';
import { parseRoute, toLectureHash } from './route.ts';
import { createShell } from './shell.ts';
import { createSignInView } from './sign-in-view.ts';
import { isSignedIn, rememberSignedIn } from './signed-in.ts';
import { createUploads } from './uploads.ts';
import type { View } from './view.ts';

/** The page's only file with side effects. */
function main(): void {
  const client = createClient({
    baseUrl: '',
    async fetch(input, init) {
      const response = await fetch(input, init);
      if (response.status === 401) askForKey();
      return response;
    },
  });
  const shell = createShell(document.body, { onSignOut: () => void signOut() });
  let view: View | null = null;
  let isAsking = false;
  const isHome = () => parseRoute(location.hash).name === 'home';

  const terms = createCourseTerms();
  const uploads = createUploads({
    client,
    readTerms: terms.read,
    onLecture(lecture, isOnly) {
      if (isOnly && isHome()) location.hash = toLectureHash(lecture.id);
      else shell.note(`“${lecture.title}” has been sent.`);
    },
    onProgress: (text) => shell.showUploads(text),
    onUnauthenticated: () => askForKey(),
  });

  const open = () => {
    view?.close();
    shell.reachable();
    shell.showSignOut(isSignedIn());
    isAsking = false;
    const route = parseRoute(location.hash);
    if (route.name === 'home') view = createHomeView({ client, shell, uploads, terms });
    else if (route.name === 'lecture') view = createLectureView({ client, shell, ...route });
    else view = createUnknownView();
    shell.show(view.element, view);
  };

  /** Instead of whatever view it was that the API refused; several calls may be refused at once. */
  const askForKey = () => {
    if (isAsking) return;
    isAsking = true;
    rememberSignedIn(false);
    view?.close();
    shell.reachable();
    shell.showSignOut(false);
    view = createSignInView({
      client,
      onSignedIn() {
        rememberSignedIn(true);
        open();
      },
    });
    shell.show(view.element, view);
  };
  const signOut = async () => {
    try {
      await client.signOut();
    } catch (error) {
      shell.unreachable(error);
      return;
    }
    rememberSignedIn(false);
    open();
  };
  window.addEventListener('hashchange', open);
  acceptDrops((files) => {
    uploads.add(files);
    if (!isHome()) location.hash = '#/';
  });
  open();
}

function createUnknownView(): View {
  const element = el('div', { class: 'message' }, [
    el('h1', { tabindex: -1 }, ['There is no such page']),
    el('p', {}, [el('a', { href: '#/' }, ['All lectures'])]),
  ]);
  return { element, title: 'StudyMate', isApp: false, close() {} };
}

/** Files may be dropped anywhere; without this the browser would leave the page and open them. */
function acceptDrops(onFiles: (files: File[]) => void): void {
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
  const mark = (isOver: boolean) => document.body.classList.toggle('is-dragging', isOver);
  window.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  window.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) mark(false);
  });
  window.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(false);
    onFiles([...(event.dataTransfer?.files ?? [])]);
  });
}

main();
