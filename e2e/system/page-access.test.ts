/// <reference lib="dom" />
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { createLectureStore } from '@studymate/storage/lecture-store';
import { createTranscriptEditStore } from '@studymate/storage/transcript-edit-store';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { excerpt } from '../support/recordings.ts';
import { type RunningSystem, startSystem } from '../support/running-system.ts';
import { launchBrowser, openPage } from './support/browser.ts';

let system: RunningSystem;
let browser: Browser;
let studiedId: string;
let courseId: string;
let failedId: string;
beforeAll(async () => {
  system = await startSystem();
  browser = await launchBrowser();
  courseId = (await system.client.createCourse('Printing')).id;
  const file = await excerpt('printing.mp3', 40, 190);
  const { id } = await system.client.uploadLecture(file, { title: 'Printing', courseId });
  for await (const _ of system.client.followLecture(id));
  studiedId = id;
  const noise = new File([new Uint8Array(50_000).map((_, i) => (i * 7919) % 251)], 'noise.mp3', { type: 'audio/mpeg' });
  ({ id: failedId } = await system.client.uploadLecture(noise, { title: 'Noise' }));
  for await (const _ of system.client.followLecture(failedId));
});
afterAll(async () => {
  await browser?.close();
  await system?.close();
});

const open = (options: Parameters<typeof openPage>[1] = {}) =>
  openPage(browser, { baseURL: system.baseUrl, reducedMotion: 'reduce', permissions: ['microphone'], ...options });

/** What axe-core finds against WCAG 2.2 A and AA and good practice, a line for each place. */
async function findFaults(page: Page, where: string): Promise<string[]> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const inPage = (window as unknown as { axe: typeof axe }).axe;
    return (await inPage.run()).violations;
  });
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${where}: ${id} (${help}) ${target.join(' ')} ${failureSummary ?? ''}`),
  );
}

const tabs = ['chapters', 'topics', 'flashcards', 'ask', 'summary'];
const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

test.for([
  ['light, in English, on a large screen', { colorScheme: 'light', locale: 'en-GB' }],
  ['dark, in Arabic, on a phone', { colorScheme: 'dark', locale: 'ar-EG', ...phone }],
] as const)('axe finds nothing on any view: %s', async ([, options]) => {
  const { page, problems } = await open(options);
  const faults: string[] = [];
  await page.goto('/');
  await page.locator('.lecture-link').first().waitFor();
  await page.locator('.model-line', { hasText: /\S/ }).waitFor();
  faults.push(...(await findFaults(page, 'home')));
  await page.keyboard.press('/');
  await page.keyboard.type('letters');
  await page.locator('.found').first().waitFor();
  faults.push(...(await findFaults(page, 'search')));
  await page.setInputFiles('#pick', { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('notes') });
  await page.locator('.upload.is-failed').waitFor();
  faults.push(...(await findFaults(page, 'a refused file')));
  await page.goto(`/#/courses/${courseId}`);
  await page.locator('.lecture-link').first().waitFor();
  faults.push(...(await findFaults(page, 'course')));
  await page.locator('#topics-title + button').click();
  await page.locator('.topic-dot').first().waitFor();
  faults.push(...(await findFaults(page, 'topics of a course')));
  await page.goto(`/#/lectures/${failedId}`);
  await page.locator('.lecture-status[data-status="failed"]').waitFor();
  // Nothing is there that could be searched or played.
  await page.locator('.player').waitFor({ state: 'hidden' });
  expect(await page.locator('#search').count()).toBe(0);
  faults.push(...(await findFaults(page, 'a failed lecture')));
  await page.goto(`/#/lectures/${studiedId}`);
  await page.locator('.segment').first().waitFor();
  // On a phone the steps of a lecture that is ready are not seen.
  await page.locator('.stage[data-status="done"]').nth(6).waitFor({ state: 'attached' });
  faults.push(...(await findFaults(page, 'lecture')));
  await page.locator('.transcript-head button').click();
  await page.locator('.segment-field:focus').fill('Written by hand.');
  faults.push(...(await findFaults(page, 'correcting the text')));
  const id = Number(await page.locator('.segment:has(.segment-field)').getAttribute('data-index'));
  await system.client.editTranscript(studiedId, [{ id, text: `Somebody else, ${options.locale}.` }]);
  await page.locator('.edit-tools .is-main').press('Enter');
  const newer = page.locator('.edit-state .link');
  await page.locator('.edit-tools .is-main:focus[aria-disabled="true"]').waitFor();
  await newer.waitFor();
  faults.push(...(await findFaults(page, 'a text that was saved somewhere else')));
  await newer.press('Enter');
  await page.locator('.edit-state [role="status"]:focus').waitFor();
  await page.locator('.segment-field[aria-describedby]').waitFor();
  faults.push(...(await findFaults(page, 'a segment that two have corrected')));
  await page.route('**/transcript', (route) =>
    route.request().method() === 'PATCH'
      ? route.fulfill({ status: 503, json: { error: { code: 'unavailable', message: 'Busy', requestId: 'r' } } })
      : route.continue(),
  );
  const refused = page.waitForResponse((response) => response.status() === 503);
  await page.locator('.edit-tools .is-main').press('Enter');
  await refused;
  await page.locator('.edit-tools .is-main:focus[aria-disabled="false"]').waitFor();
  faults.push(...(await findFaults(page, 'a text that could not be saved')));
  const isWide = () => page.evaluate(() => (document.scrollingElement as Element).scrollWidth > window.innerWidth);
  expect(await isWide()).toBe(false);
  await page.locator('.edit-icon').nth(2).click();
  await page.locator('.versions summary').last().click();
  await page.locator('.text-change').first().waitFor();
  faults.push(...(await findFaults(page, 'versions of the text')));
  await page.keyboard.press('Escape');
  await page.locator('.edit-icon').last().click();
  await page.locator('.transcript-head button:focus').waitFor();
  for (const tab of tabs) {
    await page.locator(`#tab-${tab}`).click();
    await page.locator(`#panel-${tab}.is-selected`).waitFor();
    if (tab === 'flashcards') await page.locator('.flashcard').click();
    if (tab === 'chapters') await page.locator('#panel-chapters .icon-button').first().click();
    faults.push(...(await findFaults(page, tab)));
    if (tab !== 'flashcards') continue;
    await page.locator('.cards .choice').nth(2).click();
    await page.locator('.quiz-choice').first().click();
    faults.push(...(await findFaults(page, 'quiz')));
  }
  // Also where the search is in a tab that is not shown.
  await page.keyboard.press('/');
  await page.locator('#search:focus').waitFor();
  await page.locator('h1').first().focus();
  await page.keyboard.press('?');
  await page.locator('dialog[open]').waitFor();
  // It is longer than a screen, and begins at its beginning.
  await page.locator('dialog h2:focus').waitFor();
  faults.push(...(await findFaults(page, 'help')));
  await page.keyboard.press('Escape');
  await page.goto('/#/nowhere');
  await page.getByRole('heading').first().waitFor();
  faults.push(...(await findFaults(page, 'unknown')));
  await page.goto('/#/');
  await page.locator('.recorder button').click();
  await page.locator('.recorder-level').waitFor();
  faults.push(...(await findFaults(page, 'recorder')));
  await page.locator('.recorder button').last().click();
  await page.locator('.recorder:not(.is-recording)').waitFor();
  await page.route('**/api/v1/**', (route) =>
    route.fulfill({
      status: 401,
      json: { error: { code: 'unauthenticated', message: 'Who are you?', requestId: 'r' } },
    }),
  );
  await page.reload();
  await page.locator('#key').waitFor();
  faults.push(...(await findFaults(page, 'sign-in')));
  expect(faults).toEqual([]);
  expect(problems.filter((problem) => !/\b(401|412|503)\b/.test(problem))).toEqual([]);
});

test('corrections that find no place in a text that was heard anew are told of, copied and thrown away, and axe finds nothing', async () => {
  const blobs = await createFileBlobStore({ rootDir: system.dataDir });
  try {
    const change = { id: 0, start: 3, from: 'What is heard no more.', text: 'What somebody wrote.' };
    const edits = createTranscriptEditStore({ blobs, lectures: createLectureStore({ blobs }) });
    await edits.save(studiedId, async () => ({ changes: [change], changedSegments: 0 }));
  } finally {
    await blobs.close();
  }
  const { page, problems } = await open({ locale: 'en-GB', permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(`/#/lectures/${studiedId}`);
  const note = page.locator('.transcript .stale', { hasText: 'One correction has no place' });
  await note.getByRole('button').click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('.text-change', { hasText: 'What is heard no more.' }).waitFor();
  expect(await findFaults(page, 'corrections without a place')).toEqual([]);
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await dialog.getByText('Copied.').waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('0:03 What somebody wrote.');
  const before = await system.client.getLecture(studiedId);
  await dialog.getByRole('button', { name: 'Throw away' }).click();
  await note.waitFor({ state: 'detached' });
  const after = await system.client.getLecture(studiedId);
  expect(after.transcriptVersion).toBe(before.transcriptVersion + 1);
  expect((await system.client.getUnplacedCorrections(studiedId)).corrections).toEqual([]);
  expect(problems).toEqual([]);
});

test('Arabic is chosen by its name, stays, turns the page round without sideways scrolling, and goes back', async () => {
  const { page, problems } = await open({ locale: 'en-GB', ...phone });
  await page.goto('/');
  await page.getByRole('button', { name: 'العربية' }).click();
  await page.getByRole('heading', { name: 'المحاضرات' }).waitFor();
  await page.goto(`/#/lectures/${studiedId}`);
  await page.reload();
  await page.getByRole('tab', { name: 'الفصول' }).waitFor();
  const { dir, lang, isWide } = await page.evaluate(() => ({
    dir: document.documentElement.dir,
    lang: document.documentElement.lang,
    isWide: (document.scrollingElement as Element).scrollWidth > window.innerWidth,
  }));
  expect([dir, lang, isWide]).toEqual(['rtl', 'ar', false]);
  // The recording's own language keeps its direction.
  const text = page.locator('.segment-text').first();
  expect(await text.evaluate((element) => getComputedStyle(element).direction)).toBe('ltr');
  // What the API says of a recording that is none.
  await page.goto(`/#/lectures/${failedId}`);
  await page.locator('.lecture-status', { hasText: 'الملف ليس تسجيلًا' }).waitFor();
  await page.goto(`/#/lectures/${studiedId}`);
  await page.getByRole('tab', { name: 'النص' }).press('ArrowLeft');
  expect(await page.getByRole('tab', { name: 'الملخص' }).getAttribute('aria-selected')).toBe('true');
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('tab', { name: 'Summary' }).waitFor();
  expect(problems).toEqual([]);
});

test('keys that are one letter or sign can be switched off, which stays so; space goes on playing', async () => {
  const { page, problems } = await open();
  const openLecture = async () => {
    await page.goto(`/#/lectures/${studiedId}`);
    await page.waitForFunction(() => (document.querySelector('audio')?.duration ?? 0) > 70);
  };
  const untilPlaying = (plays: boolean) =>
    page.waitForFunction((wanted) => document.querySelector('audio')?.paused !== wanted, plays);
  await openLecture();
  await page.keyboard.press('k');
  await untilPlaying(true);
  await page.keyboard.press('?');
  await page.getByLabel(/pressed alone/).uncheck();
  await page.keyboard.press('Escape');
  await page.reload();
  await openLecture();
  for (const key of ['?', '/', 'k']) await page.keyboard.press(key);
  expect(await page.getByRole('dialog').count()).toBe(0);
  expect(page.url()).toContain(studiedId);
  await page.keyboard.press(' ');
  await untilPlaying(true);
  await page.getByRole('button', { name: 'Keys' }).click();
  await page.getByLabel(/pressed alone/).check();
  await page.keyboard.press('Escape');
  await page.keyboard.press('k');
  await untilPlaying(false);
  expect(problems).toEqual([]);
});

test('the page is sent compressed to who takes that, and plain to others, also where no gateway does it', async () => {
  const html = await (await fetch(system.baseUrl)).text();
  for (const [, file = ''] of html.matchAll(/"\.(\/assets\/[^"]+)"/g)) {
    const ask = (encoding: string) => fetch(`${system.baseUrl}${file}`, { headers: { 'accept-encoding': encoding } });
    const [packed, plain] = await Promise.all([ask('gzip, br'), ask('identity')]);
    expect(packed.headers.get('content-encoding')).toBe('br');
    expect(plain.headers.get('content-encoding')).toBeNull();
    for (const { headers } of [packed, plain]) {
      expect(headers.get('content-type')).toMatch(file.endsWith('.css') ? /^text\/css/ : /^text\/javascript/);
      expect(headers.get('vary')).toMatch(/accept-encoding/i);
      expect(headers.get('cache-control')).toMatch(/immutable/);
    }
    expect(await packed.text()).toBe(await plain.text());
  }
});
