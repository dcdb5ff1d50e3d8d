/// <reference lib="dom" />
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { excerpt } from '../support/recordings.ts';
import { type RunningSystem, startSystem } from '../support/running-system.ts';
import { launchBrowser, openPage } from './support/browser.ts';

let system: RunningSystem;
let browser: Browser;
beforeAll(async () => {
  system = await startSystem();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await system?.close();
});

const choose = async (page: Page, file: File) =>
  page.setInputFiles('#pick', { name: file.name, mimeType: file.type, buffer: Buffer.from(await file.arrayBuffer()) });

const open = () => openPage(browser, { baseURL: system.baseUrl, permissions: ['microphone'] });

/** What a tab has on its way is written down a moment after it was begun. */
const untilRemembered = (page: Page, uploadId: string) =>
  page.waitForFunction(async (id) => {
    // To open one that is not there would make it.
    if (!(await indexedDB.databases()).some(({ name }) => name === 'studymate-uploads')) return false;
    return new Promise((resolve) => {
      const opening = indexedDB.open('studymate-uploads');
      opening.onsuccess = () => {
        const reading = opening.result.transaction('uploads').objectStore('uploads').getAll();
        reading.onsuccess = () => {
          opening.result.close();
          resolve(reading.result.some(({ uploadId }) => uploadId === id));
        };
      };
    });
  }, uploadId);

test('an upload goes on by itself, under the same id, after its tab was closed', async () => {
  const { page } = await open();
  // What is sent comes nowhere. A request that is only held would go out as soon as the tab is closed.
  await page.route(/\/api\/v1\/uploads\/\w+$/, (route) => route.abort('connectionfailed'));
  await page.goto('/');
  const begun = page.waitForRequest((request) => request.method() === 'PATCH');
  await choose(page, await excerpt('closed tab.mp3', 10, 12));
  const uploadUrl = (await begun).url();
  await untilRemembered(page, uploadUrl.split('/').at(-1) ?? '');
  const second = await page.context().newPage();
  await second.goto('/');
  // As long as the first tab lives the upload is its own.
  await second.locator('.home').waitFor();
  expect(await second.locator('.upload').count()).toBe(0);
  const goneOn = second.waitForRequest((request) => request.method() === 'PATCH');
  await page.close();
  expect((await goneOn).url()).toBe(uploadUrl);
  await second.locator('.lecture-link', { hasText: 'closed tab' }).waitFor();
  await second.locator('.upload').waitFor({ state: 'detached' });
  await second.reload();
  await second.locator('.lecture-link', { hasText: 'closed tab' }).waitFor();
  expect(await second.locator('.upload').count()).toBe(0);
});

test('what the microphone hears is recorded with a pause, sent, and also sent when the tab was closed meanwhile', async () => {
  const { page, problems } = await open();
  const clock = (at: Page) => at.locator('.recorder-clock');
  const record = async (at: Page) => {
    await at.goto('/');
    await at.getByRole('button', { name: 'Record now' }).click();
    await clock(at).filter({ hasText: '0:03' }).waitFor();
  };
  await record(page);
  await page.waitForFunction(() => (document.querySelector('meter')?.value ?? 0) > 0.1);
  await page.locator('.recorder button:focus', { hasText: 'Pause' }).press('Enter');
  await page.locator('.recorder-note', { hasText: 'Paused' }).waitFor();
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('button', { name: 'Finish and send' }).click();
  await page.waitForURL(/#\/lectures\/[0-9a-z]{26}$/);
  const firstId = page.url().split('/').at(-1) ?? '';
  const { title } = await system.client.getLecture(firstId);
  expect(title).toMatch(/^Recording \d{4}-\d\d-\d\d \d\d\.\d\d/);
  // The browser that recorded it did not write how long it is.
  await page.waitForFunction(() => Number.isFinite(document.querySelector('audio')?.duration));

  const second = await page.context().newPage();
  await record(second);
  await second.close();
  await page.goto('/#/');
  const made = page.waitForResponse((answer) => answer.url().endsWith('/api/v1/lectures') && answer.status() === 202);
  await page.reload();
  const lecture = await (await made).json();
  expect(lecture.title).toMatch(/^Recording /);
  expect(lecture.id).not.toBe(firstId);
  // Nobody has just asked for it.
  expect(page.url()).toMatch(/#\/$/);
  await page.goto(`/#/lectures/${lecture.id}`);
  await page.waitForFunction(() => {
    const { duration = Number.NaN } = document.querySelector('audio') ?? {};
    return Number.isFinite(duration) && duration > 1;
  });
  expect(problems).toEqual([]);
});

test('a text that is called a recording is refused before it is sent, and the page says when the model is loaded', async () => {
  const { page } = await open();
  await page.goto('/');
  let isSent = false;
  page.on('request', (request) => {
    isSent ||= request.url().includes('/api/v1/uploads');
  });
  await choose(page, new File(['These are my notes.\n'.repeat(50)], 'notes.mp3', { type: 'audio/mpeg' }));
  await page.locator('.upload.is-failed', { hasText: 'This is a text' }).waitFor();
  expect(isSent).toBe(false);
  await page.locator('.model-line', { hasText: 'The speech model is loaded' }).waitFor({ timeout: 60_000 });
});
