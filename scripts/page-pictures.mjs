// Takes the pictures of the page in docs/images from a running StudyMate, for example `npm run demo`:
//
//   node scripts/page-pictures.mjs http://127.0.0.1:PORT
//
// It sends the sample lecture and a file that is none; both are deleted in the end.
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { findProgram } from './lib/system-programs.mjs';
import { rootDir } from './setup.mjs';

const imagesDir = path.join(rootDir, 'docs/images');
const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

async function main(baseURL) {
  const executablePath = await findProgram('chromium');
  if (executablePath === null) throw new Error('Chromium is missing; node scripts/setup.mjs --system installs it');
  await mkdir(imagesDir, { recursive: true });
  const sample = await readFile(path.join(rootDir, 'samples/history-of-printing.mp3'));
  const args = ['--no-sandbox', '--disable-gpu', '--mute-audio', '--use-fake-device-for-media-stream'];
  const browser = await chromium.launch({ executablePath, args });
  const made = [];
  const courses = [];

  /** Opens an address in a profile of its own, prepares it and takes a picture. */
  const take = async (name, { context = desktop, scheme = 'light', locale = 'en-GB', hash = '#/', prepare }) => {
    const opened = await browser.newContext({
      ...context,
      baseURL,
      locale,
      colorScheme: scheme,
      reducedMotion: 'reduce',
      permissions: ['microphone'],
    });
    try {
      const page = await opened.newPage();
      await page.goto(`/${hash}`);
      await prepare(page);
      await page.screenshot({ path: path.join(imagesDir, `${name}.png`) });
      console.log(`docs/images/${name}.png`);
      return page.url();
    } finally {
      await opened.close();
    }
  };
  const send = async (page, name, buffer) => {
    await page.setInputFiles('#pick', { name, mimeType: 'audio/mpeg', buffer });
    await page.waitForURL(/#\/lectures\//);
    made.push(page.url().split('/').at(-1));
  };
  const ask = async (method, path, body) => {
    const response = await fetch(`${baseURL}/api/v1/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
    return response.json();
  };
  const makeCourse = async (title, lectureId) => {
    const { id } = await ask('POST', 'courses', { title });
    if (lectureId !== undefined) await ask('PATCH', `lectures/${lectureId}`, { courseId: id });
    return id;
  };
  const untilEnded = (page) =>
    page
      .locator('.lecture-status')
      .filter({ hasText: /^(Ready|Could not)/ })
      .waitFor({ timeout: 300_000 });
  const openTab = async (page, name) => {
    await untilEnded(page);
    await page.getByRole('tab', { name }).click();
  };
  const listenFrom = async (page, part) => {
    await page.locator(part).click();
    await page.waitForFunction((start) => document.querySelector('audio').currentTime > start + 2, 0);
    await page.locator('.word.is-now').waitFor();
    await page.evaluate(() => document.querySelector('audio').pause());
  };

  try {
    await take('page-working', {
      async prepare(page) {
        await send(page, 'History of printing.mp3', sample);
        await page.locator('.segment').nth(5).waitFor({ timeout: 120_000 });
      },
    });
    const hash = `#/lectures/${made[0]}`;
    await take('page-lecture', {
      hash,
      async prepare(page) {
        await untilEnded(page);
        await listenFrom(page, '.statement >> nth=0');
      },
    });
    await take('page-chapters-dark', {
      hash,
      scheme: 'dark',
      async prepare(page) {
        await openTab(page, 'Chapters');
        await listenFrom(page, '.chapter >> nth=1');
      },
    });
    await take('page-topics', { hash, prepare: (page) => openTab(page, 'Topics') });
    await take('page-cards-dark', {
      hash,
      scheme: 'dark',
      async prepare(page) {
        await openTab(page, 'Cards');
        await page.locator('.flashcard').click();
      },
    });
    await take('page-quiz', {
      hash,
      async prepare(page) {
        await openTab(page, 'Cards');
        await page.getByRole('button', { name: 'Quiz' }).click();
        await page.locator('.quiz-choice').first().click();
        await page.locator('.quiz-choice[data-state=right]').waitFor();
      },
    });
    await take('page-ask', {
      hash,
      scheme: 'dark',
      async prepare(page) {
        await openTab(page, 'Ask');
        await page.getByLabel('A question about this lecture').fill('Where did Sweynheim and Pannartz print?');
        await page.keyboard.press('Enter');
        await page.locator('.ask-turn').first().waitFor({ timeout: 60_000 });
      },
    });
    const correct = async (page) => {
      await untilEnded(page);
      await page.locator('.transcript-head button').click();
      const field = page.locator('.segment-field');
      await field.fill('Printing, in the only sense of the word that concerns us here,');
      await page.keyboard.press('Enter');
      await field.fill((await field.inputValue()).replace('modern', 'recent'));
    };
    await take('page-editing', { hash, prepare: correct });
    await take('page-editing-phone-dark', { hash, context: phone, scheme: 'dark', prepare: correct });
    await take('page-phone', { hash, context: phone, prepare: untilEnded });
    await take('page-phone-summary-dark', {
      hash,
      context: phone,
      scheme: 'dark',
      prepare: (page) => openTab(page, 'Summary'),
    });
    await take('page-failed', {
      async prepare(page) {
        await send(
          page,
          'Not a recording.mp3',
          Buffer.from(Uint8Array.from({ length: 50_000 }, (_, i) => (i * 7919) % 251)),
        );
        await untilEnded(page);
      },
    });
    const course = await makeCourse('Book history', made[0]);
    courses.push(course, await makeCourse('Organic chemistry'));
    await take('page-lectures', {
      async prepare(page) {
        await page.locator('.lecture-link').first().waitFor();
        await page.locator('.course-link').first().waitFor();
        await page.locator('.model-line', { hasText: 'loaded' }).waitFor({ timeout: 60_000 });
      },
    });
    await take('page-recording', {
      async prepare(page) {
        await page.getByRole('button', { name: 'Record now' }).click();
        await page.locator('.recorder-clock', { hasText: '0:04' }).waitFor();
      },
    });
    await take('page-course', {
      hash: `#/courses/${course}`,
      async prepare(page) {
        await page.locator('.lecture-link').first().waitFor();
        await page.keyboard.press('/');
        await page.keyboard.type('movable type');
        await page.locator('.found mark').first().waitFor();
        await page.locator('.search-box').evaluate((box) => box.scrollIntoView({ block: 'start' }));
      },
    });
    await take('page-arabic', {
      hash,
      locale: 'ar-EG',
      async prepare(page) {
        await page.locator('.stage[data-status=done]').nth(6).waitFor();
        await listenFrom(page, '.statement >> nth=0');
      },
    });
    await take('page-arabic-phone', {
      context: phone,
      locale: 'ar-EG',
      scheme: 'dark',
      prepare: (page) => page.locator('.lecture-link').first().waitFor(),
    });
  } finally {
    await browser.close();
    for (const id of courses) await fetch(`${baseURL}/api/v1/courses/${id}`, { method: 'DELETE' });
    for (const id of made) await fetch(`${baseURL}/api/v1/lectures/${id}`, { method: 'DELETE' });
  }
}

const [baseURL] = process.argv.slice(2);
if (baseURL === undefined) {
  console.error('usage: node scripts/page-pictures.mjs http://127.0.0.1:PORT');
  process.exitCode = 2;
} else await main(baseURL.replace(/\/+$/, ''));
