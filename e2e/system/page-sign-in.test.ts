/// <reference lib="dom" />
import type { BlobStore } from '@studymate/storage/blob-store';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { createKeyStore, type KeyStore } from '@studymate/storage/key-store';
import type { Browser } from 'playwright-core';
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
  const { page, close } = await openPage(browser, { baseURL: system.baseUrl });
  try {
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

    await page.getByRole('button', { name: 'Sign out' }).click();
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
  } finally {
    await close();
  }
});
