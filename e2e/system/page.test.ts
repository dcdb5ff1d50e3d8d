/// <reference lib="dom" />
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { excerpt, makeRecording } from '../support/recordings.ts';
import { type RunningSystem, startSystem } from '../support/running-system.ts';
import { launchBrowser, type OpenPage, openPage } from './support/browser.ts';

/** https://wicg.github.io/layout-instability; not among TypeScript's types. */
interface LayoutShift {
  value: number;
  hadRecentInput: boolean;
  sources: { node: Node | null }[];
}

let system: RunningSystem;
let browser: Browser;
/** Thirty seconds of the sample, made into a study set once for all tests that only look at it. */
let studiedId: string;

beforeAll(async () => {
  system = await startSystem();
  browser = await launchBrowser();
  studiedId = await study(await excerpt('printing.mp3', 40, 75), 'Printing');
});
afterAll(async () => {
  await browser?.close();
  await system?.close();
});

async function study(file: File, title: string): Promise<string> {
  const { id } = await system.client.uploadLecture(file, { title });
  for await (const _ of system.client.followLecture(id));
  return id;
}

const open = (options: Parameters<typeof openPage>[1] = {}) =>
  openPage(browser, { baseURL: system.baseUrl, ...options });

async function openLecture(id: string, options: Parameters<typeof openPage>[1] = {}): Promise<OpenPage> {
  const view = await open(options);
  await view.page.goto(`/#/lectures/${id}`);
  await view.page.locator('.segment').first().waitFor();
  return view;
}

const choose = async (page: Page, file: File) =>
  page.setInputFiles('#pick', { name: file.name, mimeType: file.type, buffer: Buffer.from(await file.arrayBuffer()) });

const status = (page: Page) => page.locator('.lecture-status');

/** Waits for a lecture to end as it should; an ending that it should not have is told at once. */
async function untilStatus(page: Page, wanted: RegExp): Promise<void> {
  const ended = status(page).filter({ hasText: /^(Ready|Could not|Cancelled)/ });
  await ended.waitFor({ timeout: 120_000 });
  expect(await ended.textContent()).toMatch(wanted);
}

const media = (page: Page) =>
  page.evaluate(() => {
    const player = document.querySelector('audio, video') as HTMLMediaElement;
    return { kind: player.localName, seconds: player.currentTime, paused: player.paused };
  });

const untilPlayingFrom = (page: Page, seconds: number) =>
  page.waitForFunction((from) => {
    const player = document.querySelector('audio, video') as HTMLMediaElement;
    return !player.paused && player.currentTime > from && player.currentTime < from + 5;
  }, seconds);

const hasSidewaysScroll = (page: Page) =>
  page.evaluate(() => (document.scrollingElement as Element).scrollWidth > window.innerWidth);

describe('the page', () => {
  test('takes a recording, shows its words before it is ready, without anything jumping, and then the study set', async () => {
    const { page, problems } = await open();
    await page.addInitScript(() => {
      const seen = window as unknown as { statusAtFirstWords?: string; shifts: string[] };
      seen.shifts = [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as unknown as LayoutShift[]) {
          // A node that is not there any more went with the view that was left: nobody saw it jump.
          const moved = entry.sources.flatMap(({ node }) =>
            node instanceof Element ? [`${node.localName}.${node.className}`] : (node?.textContent ?? []),
          );
          if (!entry.hadRecentInput && entry.value > 0.01 && moved.length > 0) {
            seen.shifts.push(`${entry.value} at ${location.hash}: ${moved.join(', ')}`);
          }
        }
      }).observe({ type: 'layout-shift', buffered: true });
      new MutationObserver(() => {
        if (document.querySelector('.segment') === null) return;
        seen.statusAtFirstWords ??= document.querySelector('.lecture-status')?.textContent ?? 'none';
      }).observe(document, { childList: true, subtree: true });
    });
    await page.goto('/');
    expect(await page.locator('h1').textContent()).toMatch(/study/i);
    await choose(page, await excerpt('A lecture & more.mp3', 0, 110));
    await page.waitForURL(/#\/lectures\/[0-9a-z]{26}$/);
    await untilStatus(page, /^Ready$/);
    expect(await page.locator('h1').textContent()).toBe('A lecture & more');
    expect(await page.title()).toBe('A lecture & more · StudyMate');

    const seen = await page.evaluate(() => {
      const { shifts, statusAtFirstWords } = window as unknown as { shifts: string[]; statusAtFirstWords?: string };
      return { shifts, statusAtFirstWords };
    });
    expect(seen.statusAtFirstWords).toMatch(/^(Reading|Transcribing)/);
    // On the list an upload that was just chosen moves the lectures down, as it should.
    expect(seen.shifts.filter((shift) => shift.includes('#/lectures/'))).toEqual([]);

    const id = page.url().split('/').at(-1) as string;
    const transcript = await system.client.getTranscript(id);
    const shown = await page.locator('.segment-text').allTextContents();
    expect(shown).toEqual(transcript.segments.map((segment) => segment.text));
    const unsure = transcript.segments.flatMap((segment) => segment.words.filter((word) => word.probability < 0.5));
    expect(await page.locator('.segment-text .is-unsure').count()).toBe(unsure.length);
    expect(await page.locator('.stage[data-status="done"]').count()).toBe(7);
    expect(problems).toEqual([]);
  });

  test('plays from a statement, a word, a chapter and a card, and marks the word that is being said', async () => {
    const { page, problems } = await openLecture(studiedId);
    const summary = await system.client.getSummary(studiedId);
    const statement = summary.statements.at(-1) as (typeof summary.statements)[number];
    await page.locator('.statement').last().click();
    await untilPlayingFrom(page, statement.start);
    await page.locator('.segment.is-now .word.is-now').waitFor();
    await page.getByRole('region', { name: 'Transcript' }).or(page.locator('.transcript')).first().press('k');
    await page.waitForFunction(() => document.querySelector('audio')?.paused);

    const word = page.locator('.segment').nth(2).locator('.word').nth(1);
    const start = Number(await word.getAttribute('data-start'));
    await word.click();
    await untilPlayingFrom(page, start);

    await page.getByRole('tab', { name: 'Chapters' }).click();
    const chapters = await system.client.getChapters(studiedId, { level: 'general' });
    await page.locator('.chapter').first().click();
    await untilPlayingFrom(page, chapters[0]?.start ?? -1);
    await page.locator('.chapters .is-now').waitFor();
    expect(await page.locator('.timeline button').count()).toBe(chapters.length);

    await page.getByRole('tab', { name: 'Cards' }).click();
    const [card] = await system.client.getFlashcards(studiedId);
    expect(await page.locator('.flashcard-text').textContent()).toBe(card?.front);
    await page.locator('.flashcard').click();
    expect(await page.locator('.flashcard-text').textContent()).toBe(card?.back);
    await page.locator('.flashcard').press('ArrowRight');
    expect(await page.locator('.flashcard-counter').textContent()).toMatch(/^2 of /);
    await page.locator('.flashcard').press('ArrowLeft');
    await page.getByRole('button', { name: /^Hear it/ }).click();
    await untilPlayingFrom(page, card?.start ?? -1);

    await page.getByRole('tab', { name: 'Topics' }).click();
    const topics = await system.client.getTopics(studiedId);
    expect(await page.locator('.topic h3').allTextContents()).toEqual(topics.map(({ label }) => label));
    expect(problems).toEqual([]);
  });

  test('saves subtitles and cards as the API makes them, and tells why an export is refused', async () => {
    const { page } = await openLecture(studiedId);
    const save = async (label: string) => {
      await page.getByText('Download', { exact: true }).click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: label }).click(),
      ]);
      return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
    };
    expect(await save('Subtitles (SRT)')).toEqual({
      name: 'Printing.srt',
      text: await system.client.getExport(studiedId, 'transcript', 'srt'),
    });
    expect(await save('Cards for Anki')).toEqual({
      name: 'Printing.anki.txt',
      text: await system.client.getExport(studiedId, 'flashcards', 'anki'),
    });
    // Too short for the three chapters that YouTube wants.
    const shortId = await study(await excerpt('short.mp3', 0, 12), 'Short');
    const refusal = await system.client
      .getExport(shortId, 'chapters', 'youtube')
      .catch((error: Error) => error.message);
    expect(refusal).toMatch(/YouTube/);
    await page.goto(`/#/lectures/${shortId}`);
    await untilStatus(page, /^Ready$/);
    await page.getByText('Download', { exact: true }).click();
    await page.getByRole('button', { name: 'Chapters for YouTube' }).click();
    await page.locator('.note', { hasText: refusal }).waitFor();
  });

  test('goes on with an upload after a lost connection, and after a pause', async () => {
    const { page } = await open();
    let parts = 0;
    let isPaused = false;
    await page.route(/\/api\/v1\/uploads\/\w+$/, async (route) => {
      if (route.request().method() !== 'PATCH' || isPaused) return route.continue();
      // The first is lost, the next one on its way until it is paused.
      if (++parts === 1) await route.abort('connectionfailed');
    });
    await page.goto('/');
    await choose(page, await excerpt('week 1.mp3', 30, 10));
    await page.locator('.upload-detail', { hasText: 'waiting for the connection' }).waitFor();
    await page.getByRole('button', { name: 'Pause: week 1.mp3' }).click();
    await page.locator('.upload-detail', { hasText: 'paused' }).waitFor();
    isPaused = true;
    await page.getByRole('button', { name: 'Resume: week 1.mp3' }).click();
    await page.waitForURL(/#\/lectures\//);
    await untilStatus(page, /^Ready$/);
  });

  test('finds what was said while one types, and opens the lecture at the moment', async () => {
    const { page, problems } = await open();
    await page.goto('/');
    await page.locator('.lecture-row').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('beautiful letters');
    const found = page.locator('.found', { hasText: 'Printing' }).first();
    await found.locator('mark').first().waitFor();
    const href = (await found.locator('a').getAttribute('href')) ?? '';
    const at = Number(/\?at=([\d.]+)$/.exec(href)?.[1]);
    await page.evaluate(() => {
      const note = () => Object.assign(window, { scrolled: window.scrollY });
      document.addEventListener('click', note, { capture: true, once: true });
    });
    await found.locator('a').click();
    await page.locator('.segment.is-now').waitFor();
    await page.waitForFunction((seconds) => {
      const player = document.querySelector('audio, video') as HTMLMediaElement;
      return player.readyState > 0 && Math.abs(player.currentTime - seconds) < 0.5 && player.paused;
    }, at);
    // What was found is there again, as far down as it was.
    await page.goBack();
    await page.locator('.found mark').first().waitFor();
    const field = page.getByLabel('Search in all lectures');
    expect(await field.inputValue()).toBe('beautiful letters');
    await page.waitForFunction(() => {
      const { scrolled } = window as unknown as { scrolled: number };
      // Another answer may be shorter.
      const furthest = document.documentElement.scrollHeight - window.innerHeight;
      return Math.abs(window.scrollY - Math.min(scrolled, furthest)) < 2;
    });
    await field.fill('xylophone quarantine');
    await page.locator('.search-status', { hasText: /Nothing was found|moment/ }).waitFor();
    expect(problems).toEqual([]);
  });

  test('sends the course terms with a recording, keeps them, and says what is wrong with one', async () => {
    const { page } = await open();
    await page.goto('/');
    const terms = page.getByLabel('Course terms, one a line');
    await page.getByText('Course terms', { exact: true }).click();
    await terms.fill('Subiaco\n!!!');
    await page.locator('.field-problem', { hasText: 'must have a letter or a digit' }).waitFor();
    await choose(page, await excerpt('terms.mp3', 0, 5));
    await page.locator('.upload.is-failed', { hasText: 'must have a letter or a digit' }).waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await terms.fill('Subiaco\nCaxton');
    await page.locator('.terms-count', { hasText: '(2)' }).waitFor();
    await page.getByLabel('Spoken language').selectOption('en');
    await choose(page, await excerpt('terms.mp3', 0, 5));
    await page.waitForURL(/#\/lectures\/[0-9a-z]{26}$/);
    const lecture = await system.client.getLecture(page.url().split('/').at(-1) ?? '');
    expect([lecture.glossary, lecture.language]).toEqual([['Caxton', 'Subiaco'], 'en']);
    await page.goto('/');
    expect(await terms.inputValue()).toBe('Subiaco\nCaxton');
  });

  test('refuses at once what can be no recording, and gives the reason when a file turns out to be none', async () => {
    const { page } = await open();
    await page.goto('/');
    await choose(page, new File(['notes'], 'notes.txt', { type: 'text/plain' }));
    await page.locator('.upload.is-failed', { hasText: 'not an audio or video recording.' }).waitFor();
    await page.getByRole('button', { name: 'Dismiss: notes.txt' }).click();
    expect(await page.locator('.upload').count()).toBe(0);

    await choose(
      page,
      new File([new Uint8Array(50_000).map((_, i) => (i * 7919) % 251)], 'noise.mp3', { type: 'audio/mpeg' }),
    );
    await page.waitForURL(/#\/lectures\//);
    await untilStatus(page, /^Could not be worked on: ./);
    await page.locator('.transcript', { hasText: 'There is no transcript' }).waitFor();
    await page.locator('.stage', { hasText: 'Transcriptskipped' }).waitFor();
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
  });

  test('shows what users write as text, in its own direction', async () => {
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    const file = await makeRecording('tone.wav', ['-f', 'lavfi', '-i', 'sine=duration=2']);
    const { id } = await system.client.uploadLecture(file, { title: markup });
    const arabic = await system.client.uploadLecture(file, { title: 'تاريخ الطباعة' });
    const { page, problems } = await open();
    await page.goto('/');
    const link = (lectureId: string) => page.locator(`.lecture-link[href="#/lectures/${lectureId}"]`);
    await link(id).waitFor();
    expect(await link(id).textContent()).toBe(markup);
    const direction = (lectureId: string) => link(lectureId).evaluate((element) => getComputedStyle(element).direction);
    expect([await direction(id), await direction(arabic.id)]).toEqual(['ltr', 'rtl']);
    await link(id).click();
    await status(page).waitFor();
    await page.waitForFunction((title) => document.querySelector('h1')?.textContent === title, markup);
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test('says when the API is away, goes on by itself when it is back, and has every word once', async () => {
    await system.worker().stop();
    const { page } = await open();
    await page.goto('/');
    await choose(page, await excerpt('interrupted.mp3', 100, 60));
    await page.waitForURL(/#\/lectures\//);
    await status(page)
      .filter({ hasText: /in the queue|before this one/ })
      .waitFor();
    await system.api().stop();
    await page.locator('.banner', { hasText: 'does not answer' }).waitFor();
    await system.startApi();
    await system.startWorker();
    await untilStatus(page, /^Ready$/);
    await page.locator('.banner').waitFor({ state: 'hidden' });
    const transcript = await system.client.getTranscript(page.url().split('/').at(-1) as string);
    expect(await page.locator('.segment-text').allTextContents()).toEqual(transcript.segments.map(({ text }) => text));
  });

  test('plays a lecture that was opened while the API was away, once it is back', async () => {
    const { page } = await open();
    await page.goto('/');
    await page.locator('.lecture-link').first().waitFor();
    await system.api().stop();
    await page.evaluate((id) => {
      location.hash = `#/lectures/${id}`;
    }, studiedId);
    await page.locator('.banner', { hasText: 'does not answer' }).waitFor();
    await system.startApi();
    await page.locator('.statement').first().click();
    await page.waitForFunction(() => (document.querySelector('audio')?.duration ?? 0) > 70);
    await page.locator('.statement').first().click();
    await untilPlayingFrom(page, (await system.client.getSummary(studiedId)).statements[0]?.start ?? -1);
    expect(await page.locator('.player-problem').isVisible()).toBe(false);
  });

  test('cancels, and deletes after a question; whoever has the lecture open is told', async () => {
    await system.worker().stop();
    const file = await makeRecording('tone.wav', ['-f', 'lavfi', '-i', 'sine=duration=2']);
    const { id } = await system.client.uploadLecture(file, { title: 'To be deleted' });
    const { page } = await open();
    await page.goto(`/#/lectures/${id}`);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await untilStatus(page, /^Cancelled$/);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Keep it' }).click();
    expect((await system.client.getLecture(id)).status).toBe('cancelled');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.waitForURL(/#\/$/);
    await page.locator('.lecture-link').first().waitFor();
    expect(await page.locator(`.lecture-link[href="#/lectures/${id}"]`).count()).toBe(0);
    await page.goto(`/#/lectures/${id}`);
    await page.getByRole('heading', { name: 'This lecture is not here' }).waitFor();
    await system.startWorker();
  });

  test('fits a phone, and its tabs are changed by the keyboard', async () => {
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
    const { page, problems } = await openLecture(studiedId, phone);
    for (const name of ['Transcript', 'Summary', 'Chapters', 'Topics', 'Cards', 'Ask']) {
      const tab = page.getByRole('tab', { name });
      expect(await tab.getAttribute('aria-selected')).toBe('true');
      expect(await page.getByRole('tabpanel').count()).toBe(1);
      expect(await page.locator('.tabs').evaluate((tabs) => tabs.scrollWidth - tabs.clientWidth)).toBe(0);
      expect(await hasSidewaysScroll(page)).toBe(false);
      await tab.press('ArrowRight');
    }
    expect(await page.getByRole('tab', { name: 'Transcript' }).getAttribute('aria-selected')).toBe('true');
    await page.goto('/#/');
    await page.locator('.lecture-link').first().waitFor();
    expect(await hasSidewaysScroll(page)).toBe(false);
    expect(problems).toEqual([]);
  });

  test('moves nothing for those who want no motion, and shows a video with its picture', async () => {
    const video = await makeRecording('clip.mp4', [
      ...['-f', 'lavfi', '-i', 'testsrc2=duration=3:size=320x180:rate=10', '-f', 'lavfi', '-i', 'sine=duration=3'],
      ...['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-shortest'],
    ]);
    const id = await study(new File([video], video.name, { type: 'video/mp4' }), 'With a picture');
    const { page, problems } = await open({ reducedMotion: 'reduce' });
    await page.goto(`/#/lectures/${id}`);
    await page.locator('.has-video video').waitFor();
    expect((await media(page)).kind).toBe('video');
    await page.goto(`/#/lectures/${studiedId}`);
    await page.getByRole('tab', { name: 'Cards' }).click();
    await page.locator('.flashcard').click();
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
    expect(problems).toEqual([]);
  });
});
