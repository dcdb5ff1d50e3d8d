// Measures how quick the page is, in Chromium, from a running StudyMate:
//
//   node scripts/page-figures.mjs http://127.0.0.1:PORT [--cpu 4]
//
// `--cpu 4` slows the processor four times, as Lighthouse does for a phone. The lecture of three hours is made up here and
// given to the page in place of the API's answers. Prints JSON; times are milliseconds, medians of five.
import { chromium } from 'playwright-core';
import { findProgram } from './lib/system-programs.mjs';

const runs = 5;
const id = '01m7ym4szrg1stsyamh6b2ebas';
const stageNames = ['ingest', 'transcribe', 'assemble', 'chapters', 'topics', 'summary', 'flashcards'];
const segmentCount = 2_800;
const wordsOfSegment = 10;
const secondsOfSegment = (3 * 3600) / segmentCount;

/** Three hours: 28,000 words. */
function makeLecture() {
  const lecture = {
    ...{
      id,
      title: 'Three hours',
      courseId: null,
      language: 'en',
      durationSeconds: 10_800,
      status: 'ready',
      warnings: [],
    },
    ...{ queue: { position: null, etaSeconds: null }, createdAt: '2026-01-02T08:00:00.000Z', version: 9 },
    stages: stageNames.map((name) => ({ name, status: 'done', progress: 1, startedAt: null, seconds: 1, cold: false })),
  };
  const segments = Array.from({ length: segmentCount }, (_, i) => {
    const start = i * secondsOfSegment;
    const words = Array.from({ length: wordsOfSegment }, (_, w) => ({
      word: `word${(i * 7 + w * 3) % 997}`,
      start: start + (w * secondsOfSegment) / wordsOfSegment,
      end: start + ((w + 1) * secondsOfSegment) / wordsOfSegment,
      probability: (i + w) % 40 === 0 ? 0.4 : 0.95,
    }));
    const text = words.map(({ word }) => word).join(' ');
    return { id: i, start, end: start + secondsOfSegment, text, confidence: 0.9, flags: [], words };
  });
  return { lecture, segments };
}

/** Answers in the API's place for the made-up lecture; all else goes to the API. */
async function serveLecture(page) {
  const { lecture, segments } = makeLecture();
  const event = (type, data) => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  const events = `${event('snapshot', { lecture })}${event('segments', { from: 0, segments })}${event('end', { status: 'ready' })}`;
  const answers = {
    '': lecture,
    '/chapters': [{ start: 0, end: 10_800, title: 'All', level: 'general' }],
    '/topics': [],
    '/summary': { statements: [], keyTerms: [] },
    '/flashcards': [],
    '/reviews': { reviews: [] },
    '/waveform': { durationSeconds: 10_800, values: Array.from({ length: 1_800 }, (_, i) => (i * 37) % 256) },
  };
  await page.route(`**/api/v1/lectures/${id}**`, (route) => {
    const path = new URL(route.request().url()).pathname.split(id)[1];
    if (path === '/events') return route.fulfill({ contentType: 'text/event-stream', body: events });
    return path in answers ? route.fulfill({ json: answers[path] }) : route.fulfill({ status: 404, json: {} });
  });
}

/** In the page, from its beginning. */
function observe() {
  const seen = { firstContentfulPaint: 0, largestContentfulPaint: 0, layoutShift: 0, longTasks: [] };
  window.seen = seen;
  const on = (type, take) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  on('paint', (entry) => {
    if (entry.name === 'first-contentful-paint') seen.firstContentfulPaint = entry.startTime;
  });
  on('largest-contentful-paint', (entry) => {
    seen.largestContentfulPaint = entry.startTime;
  });
  on('layout-shift', (entry) => {
    if (!entry.hadRecentInput) seen.layoutShift += entry.value;
  });
  on('longtask', (entry) => seen.longTasks.push(entry.duration));
}

/** Scrolls through the whole transcript in a hundred steps, one a picture. @returns the times between pictures */
async function scrollThrough() {
  const pane = [...document.querySelectorAll('.transcript, html')].find(
    (one) => one.scrollHeight > one.clientHeight + 100,
  );
  const gaps = [];
  let last = await new Promise(requestAnimationFrame);
  for (let step = 1; step <= 100; step++) {
    pane.scrollTop = (pane.scrollHeight * step) / 100;
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}

const median = (values) => Math.round([...values].sort((a, b) => a - b)[values.length >> 1]);

async function measure(browser, { baseURL, cpu, hash, ready, scrolls = false }) {
  const all = [];
  for (let run = 0; run < runs; run++) {
    const context = await browser.newContext({ baseURL, viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: cpu });
    await page.addInitScript(observe);
    await serveLecture(page);
    await page.goto(`/${hash}`);
    await page.locator(ready).first().waitFor({ state: 'attached' });
    await page.waitForLoadState('networkidle');
    const { longTasks, ...seen } = await page.evaluate(() => window.seen);
    const blocking = longTasks.reduce((sum, duration) => sum + Math.max(0, duration - 50), 0);
    const gaps = scrolls ? await page.evaluate(scrollThrough) : [];
    const slow = gaps.filter((gap) => gap > 34).length;
    all.push({ ...seen, longestTask: Math.max(0, ...longTasks), totalBlockingTime: blocking, slow });
    await context.close();
  }
  const pick = (name) => median(all.map((one) => one[name]));
  return {
    firstContentfulPaint: pick('firstContentfulPaint'),
    largestContentfulPaint: pick('largestContentfulPaint'),
    totalBlockingTime: pick('totalBlockingTime'),
    longestTask: pick('longestTask'),
    layoutShift: Math.max(...all.map((one) => one.layoutShift)),
    ...(scrolls && { slowPicturesOfHundred: pick('slow') }),
  };
}

async function main(baseURL, cpu) {
  const executablePath = await findProgram('chromium');
  if (executablePath === null) throw new Error('Chromium is missing; node scripts/setup.mjs --system installs it');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--mute-audio'] });
  try {
    const list = await measure(browser, { baseURL, cpu, hash: '#/', ready: 'h2' });
    const hash = `#/lectures/${id}`;
    const ready = `.segment >> nth=${segmentCount - 1}`;
    const threeHours = await measure(browser, { baseURL, cpu, hash, ready, scrolls: true });
    console.log(JSON.stringify({ cpu, list, threeHours }, null, 2));
  } finally {
    await browser.close();
  }
}

const [baseURL, flag, rate] = process.argv.slice(2);
if (baseURL === undefined || (flag !== undefined && !(flag === '--cpu' && Number(rate) >= 1))) {
  console.error('usage: node scripts/page-figures.mjs http://127.0.0.1:PORT [--cpu 4]');
  process.exitCode = 2;
} else await main(baseURL.replace(/\/+$/, ''), Number(rate ?? 1));
