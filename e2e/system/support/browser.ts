/// <reference lib="dom" />
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { findProgram } from '../../../scripts/lib/system-programs.mjs';

/** Debian's Chromium; it asks nobody on the network for anything. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = await findProgram('chromium');
  if (executablePath === null) throw new Error('Chromium is missing; node scripts/setup.mjs --system installs it');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--mute-audio',
      // A microphone that beeps; whether a page may use it is asked as ever.
      '--use-fake-device-for-media-stream',
    ],
  });
}

export interface OpenPage {
  page: Page;
  /** Exceptions, errors on the console and refusals of the content security policy so far. */
  problems: string[];
}

/** A page in a profile of its own, which is closed when the test has ended. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.text().includes('Content Security Policy')) problems.push(message.text());
  });
  return { page, problems };
}
