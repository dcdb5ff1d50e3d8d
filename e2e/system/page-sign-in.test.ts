/// <reference lib="dom" />
import { createClient } from '@studymate/client/client';
import type { BlobStore } from '@studymate/storage/blob-store';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { createKeyStore, type KeyStore } from '@studymate/storage/key-store';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { excerpt } from '../support/recordings.ts';
import { type RunningSystem, startSystem } from '../support/running-system.ts';
import { launchBrowser, openPage } from './support/browser.ts';

let system: RunningSystem;
let browser: Browser;
let blobs: BlobStore;
let keys: KeyStore;
beforeAll(async () => {
  system = await startSystem({ AUTH: 'keys' });
  blobs = await createFileBlobStore({ rootDir: system.dataDir });
  keys = createKeyStore({ blobs });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await blobs?.close();
  await system?.close();
});

test('the page asks for the key, plays and follows with it, signs out, and asks again when it was revoked', async () => {
  const { key, info } = await keys.create({ owner: 'ada', label: '' });
  const { page } = await openPage(browser, { baseURL: system.baseUrl });
  await page.goto('/');
  const field = page.getByLabel('Your key');
  await field.fill('sm_nonsense');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'does not work' }).waitFor();
  expect(await field.getAttribute('aria-invalid')).toBe('true');
  // The wrong one is selected, so that typing replaces it.
  await field.fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Drop a recording here').waitFor();
  expect(await page.evaluate(() => document.cookie)).toBe('');

  const file = await excerpt('printing.mp3', 40, 15);
  const buffer = Buffer.from(await file.arrayBuffer());
  await page.setInputFiles('#pick', { name: file.name, mimeType: file.type, buffer });
  await page.locator('.segment').first().waitFor({ timeout: 120_000 });
  // The player's own requests bring the cookie.
  await page.waitForFunction(() => (document.querySelector('audio') as HTMLMediaElement).duration > 10);

  // What is not saved is asked about, and can be found again.
  await page.getByRole('button', { name: 'Correct text' }).click();
  await page.locator('.segment-field').fill('Not saved.');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stay' }).click();
  await page.goto('/#/');
  await page.locator('.left-corrections a').click();
  await page.getByRole('button', { name: 'Correct text (1 not saved)' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await field.waitFor();
  await page.reload();
  await field.fill(key);
  await page.keyboard.press('Enter');
  await page.locator('.segment').first().waitFor();

  await keys.revoke(info.id);
  await page.goto('/#/');
  await field.waitFor({ timeout: 60_000 });
  await field.fill(key);
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'revoked' }).waitFor();
});

test('what somebody left without signing out waits for them, and is neither shown to the next nor sent as theirs', async () => {
  const [ada, bob] = await Promise.all(
    ['ada', 'bob'].map(async (owner) => (await keys.create({ owner, label: '' })).key),
  );
  const { page } = await openPage(browser, { baseURL: system.baseUrl, permissions: ['microphone'] });
  const signIn = async (at: Page, key = '') => {
    await at.getByLabel('Your key').fill(key);
    await at.keyboard.press('Enter');
    await at.getByText('Drop a recording here').waitFor();
  };
  const readTerms = (at: Page) => at.locator('#terms').inputValue();
  await page.goto('/');
  await signIn(page, ada);
  await page.locator('#terms').evaluate((field) => {
    (field as HTMLTextAreaElement).value = 'Subiaco';
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await page.getByRole('button', { name: 'Record now' }).click();
  await page.locator('.recorder-clock', { hasText: '0:03' }).waitFor();
  const context = page.context();
  const second = await context.newPage();
  const sent: string[] = [];
  context.on('request', (request) => {
    if (request.method() === 'POST' && /uploads|lectures/.test(request.url())) sent.push(request.url());
  });
  await page.close();
  await context.clearCookies();

  await second.goto('/');
  await signIn(second, bob);
  await second.getByText('Nothing here yet').waitFor();
  expect(await readTerms(second)).toBe('');
  // Two windows of bob's: one signs out, and the other one has nothing to show any more.
  const third = await context.newPage();
  await third.goto('/');
  await third.getByText('Nothing here yet').waitFor();
  expect(sent).toEqual([]);
  await second.goto('/#/?q=bob');
  await second.locator('.search-status', { hasText: 'Nothing' }).waitFor();
  await second.getByRole('button', { name: 'Sign out' }).click();
  await second.getByLabel('Your key').waitFor();
  expect(second.url()).not.toContain('bob');
  await third.getByLabel('Your key').waitFor();

  await signIn(third, ada);
  await third.locator('.lecture-link', { hasText: /^Recording / }).waitFor();
  expect(sent.length).toBeGreaterThan(0);
});

test('a member of a course reads, hears and learns its lectures, has cards of their own, and can change nothing', async () => {
  const [ada, bob] = await Promise.all(
    ['ada', 'bob'].map(async (owner) => (await keys.create({ owner, label: '' })).key),
  );
  const [hers, his] = [ada, bob].map((apiKey) => createClient({ baseUrl: system.baseUrl, apiKey: apiKey ?? '' }));
  if (hers === undefined || his === undefined) throw new Error('nobody has a key');
  const course = await hers.createCourse('Shared');
  await hers.addMember(course.id, 'bob');
  const { id } = await hers.uploadLecture(await excerpt('shared.mp3', 40, 40), { title: 'Hers', courseId: course.id });
  await hers.waitForLecture(id);
  const { page, problems } = await openPage(browser, { baseURL: system.baseUrl });
  await page.goto(`/#/courses/${course.id}`);
  await page.getByLabel('Your key').fill(bob ?? '');
  await page.keyboard.press('Enter');
  await page.getByText('Shared by ada').waitFor();
  expect(await page.getByRole('button', { name: /^(Rename|Delete)$/ }).count()).toBe(0);
  await page.locator('.lecture-link', { hasText: 'Hers' }).click();
  await page.locator('.segment').first().waitFor();
  await page.locator('.lecture-actions', { hasNotText: 'Edit' }).waitFor();
  for (const name of ['Edit', 'Delete', 'Correct text']) {
    expect(await page.getByRole('button', { name, exact: true }).count()).toBe(0);
  }
  await page.locator('.statement').first().click();
  await page.waitForFunction(() => !document.querySelector('audio')?.paused);
  await page.getByRole('tab', { name: 'Cards' }).click();
  await page.locator('.flashcard').press('Enter');
  await page.keyboard.press('3');
  await expect.poll(() => his.getReviews(id)).toHaveLength(1);
  expect(await hers.getReviews(id)).toEqual([]);
  await hers.removeMember(course.id, 'bob');
  await page.reload();
  await page.getByRole('heading', { name: 'This lecture is not here' }).waitFor();
  expect(problems.filter((problem) => !/\b40[14]\b/.test(problem))).toEqual([]);
});
