/// <reference lib="dom" />
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { excerpt } from '../support/recordings.ts';
import { type RunningSystem, startSystem } from '../support/running-system.ts';
import { launchBrowser, openPage } from './support/browser.ts';

let system: RunningSystem;
let browser: Browser;
let studiedId: string;
beforeAll(async () => {
  system = await startSystem();
  browser = await launchBrowser();
  const { id } = await system.client.uploadLecture(await excerpt('printing.mp3', 0, 222), { title: 'Printing' });
  for await (const _ of system.client.followLecture(id));
  studiedId = id;
});
afterAll(async () => {
  await browser?.close();
  await system?.close();
});

const open = () => openPage(browser, { baseURL: system.baseUrl });

async function openCards(page: Page): Promise<void> {
  await page.goto(`/#/lectures/${studiedId}`);
  await page.getByRole('tab', { name: 'Cards' }).click();
}

test('cards are asked until they are known; answers given without a connection are sent when it is back', async () => {
  const cards = await system.client.getFlashcards(studiedId);
  expect(cards.length).toBeGreaterThan(2);
  const { page, problems } = await open();
  await openCards(page);
  const due = (n: number) => page.getByRole('button', { name: `Due now (${n})`, exact: true });
  const text = page.locator('.flashcard-text');
  await due(cards.length).waitFor();
  await text.filter({ hasText: cards[0]?.front ?? '' }).waitFor();
  // By keyboard alone: turn over, "known".
  await page.locator('.flashcard').press('Enter');
  await page.keyboard.press('3');
  await due(cards.length - 1).waitFor();
  await text.filter({ hasText: cards[1]?.front ?? '' }).waitFor();
  // Not known: it comes again in this round, so the number stays.
  await page.locator('.flashcard').press('Enter');
  await page.getByRole('button', { name: 'Not known' }).click();
  await due(cards.length - 1).waitFor();
  await expect.poll(() => system.client.getReviews(studiedId)).toHaveLength(2);

  await page.route('**/reviews', (route) => route.abort('connectionfailed'));
  await page.locator('.flashcard').press('Enter');
  await page.keyboard.press('4');
  await page.locator('.deck-note', { hasText: '1 answer will be sent' }).waitFor();
  await page.unroute('**/reviews');
  await openCards((await open()).page);
  await expect.poll(() => system.client.getReviews(studiedId)).toHaveLength(3);
  const reviews = await system.client.getReviews(studiedId);
  expect(reviews.map(({ cardId, rating }) => [cardId, rating])).toEqual([
    [cards[0]?.id, 'good'],
    [cards[1]?.id, 'again'],
    [cards[2]?.id, 'easy'],
  ]);
  // Another device, and another day: what is known is not asked.
  const other = await open();
  await openCards(other.page);
  await other.page.locator('.deck-note', { hasText: `3 of ${cards.length} begun` }).waitFor();
  await other.page.getByRole('button', { name: 'Begin anew' }).click();
  await other.page.getByRole('button', { name: `Due now (${cards.length})` }).waitFor();
  expect(await system.client.getReviews(studiedId)).toEqual([]);
  expect(problems.filter((problem) => !problem.includes('ERR_FAILED') && !problem.includes('CONNECTION'))).toEqual([]);
});

test('a quiz tells at once what was right, and in the end how many were', async () => {
  const questions = await system.client.getQuiz(studiedId);
  expect(questions.length).toBeGreaterThan(1);
  const { page, problems } = await open();
  await openCards(page);
  await page.getByRole('button', { name: 'Quiz' }).click();
  for (const [i, { question, choices, answer }] of questions.entries()) {
    await page.getByRole('heading', { name: question }).waitFor();
    // The first is answered wrong.
    const choice = i === 0 ? (answer + 1) % choices.length : answer;
    const pressed = page.locator('.quiz-choice').nth(choice);
    // One of them by keyboard alone: the focus goes on to what comes next.
    if (i === 1) await pressed.press('Enter');
    else await pressed.click();
    await page.locator('.quiz-choice[data-state="right"]', { hasText: choices[answer] ?? '' }).waitFor();
    expect(await page.locator('.quiz-choice[data-state="wrong"]').count()).toBe(i === 0 ? 1 : 0);
    if (i === 1) {
      // Also in a small window the question stays in sight.
      await page.setViewportSize({ width: 1280, height: 560 });
      await page.locator('.quiz .is-main:focus').scrollIntoViewIfNeeded();
      const place = await page.locator('.quiz-question').boundingBox();
      const pane = await page.locator('#panel-flashcards').boundingBox();
      expect(place?.y).toBeGreaterThanOrEqual(Math.floor(pane?.y ?? Number.POSITIVE_INFINITY));
      await page.locator('.quiz .is-main:focus').press('Enter');
      await page.locator('.quiz-question:focus, .message-card button:focus').waitFor();
    } else await page.getByRole('button', { name: 'Next' }).click();
  }
  await page.getByText(`${questions.length - 1} of ${questions.length} right`).waitFor();
  expect(problems).toEqual([]);
});

test('a question is answered by what was said, which is played, and one that is not answered says so', async () => {
  const { page, problems } = await open();
  await page.goto(`/#/lectures/${studiedId}`);
  await page.getByRole('tab', { name: 'Ask' }).click();
  const ask = async (question: string) => {
    await page.getByLabel('A question about this lecture').fill(question);
    await page.keyboard.press('Enter');
    await page.locator('.ask-turn').first().getByRole('heading', { name: question }).waitFor();
  };
  await ask('Where did the Romans build their xylophones?');
  const expected = await system.client.ask({ question: 'Who printed beautiful letters?', lectureId: studiedId });
  await ask('Who printed beautiful letters?');
  const first = page.locator('.ask-turn').first();
  if (!expected.answerable) await first.getByText('not said').waitFor();
  else await first.locator('.ask-passages .moment').first().click();
  await page.waitForFunction((plays) => !document.querySelector('audio')?.paused === plays, expected.answerable);
  expect(problems).toEqual([]);
});

test('the waveform shows how loud the recording is, and a click in it plays from there', async () => {
  const { durationSeconds, values } = await system.client.getWaveform(studiedId);
  expect(durationSeconds).toBeGreaterThan(70);
  // Ten a second, two joined to one so that there are at most 1,800.
  expect(values.length).toBe(Math.ceil(Math.ceil(durationSeconds * 10) / 2));
  expect(Math.max(...values)).toBe(255);
  const { page, problems } = await open();
  await page.goto(`/#/lectures/${studiedId}`);
  const wave = page.locator('.waveform:enabled');
  await page.waitForFunction(() => (document.querySelector('audio')?.duration ?? 0) > 70);
  const box = await wave.boundingBox();
  await wave.click({ position: { x: (box?.width ?? 0) / 2, y: 10 } });
  await page.waitForFunction((half) => {
    const player = document.querySelector('audio') as HTMLMediaElement;
    return !player.paused && Math.abs(player.currentTime - half) < 5;
  }, durationSeconds / 2);
  expect(problems).toEqual([]);
});

test('a lecture that is opened again goes on where it was left, at the speed and with the part that were chosen', async () => {
  const { page, problems } = await open();
  await openCards(page);
  await page.getByLabel('Speed').selectOption('1.5×');
  const word = page.locator('.segment').nth(8).locator('.word').first();
  const start = Number(await word.getAttribute('data-start'));
  await word.click();
  await page.waitForFunction((from) => (document.querySelector('audio')?.currentTime ?? 0) > from + 2, start);
  await page.evaluate(() => document.querySelector('audio')?.pause());
  await page.waitForFunction(() => (localStorage.getItem('studymate.places') ?? '') !== '');
  await page.reload();
  await page.locator('.note', { hasText: 'where you stopped' }).waitFor();
  await page.waitForFunction((from) => {
    const { currentTime, paused, playbackRate } = document.querySelector('audio') as HTMLMediaElement;
    return paused && playbackRate === 1.5 && currentTime > from - 1 && currentTime < from + 15;
  }, start);
  await page.locator('.segment.is-now').waitFor();
  await page.getByRole('tab', { name: 'Cards', selected: true }).waitFor();
  expect(problems).toEqual([]);
});

test('words are found in the transcript, and one goes from place to place', async () => {
  const { segments } = await system.client.getTranscript(studiedId);
  const text = segments.map((segment) => segment.text).join(' ');
  const total = text.toLowerCase().split('print').length - 1;
  expect(total).toBeGreaterThan(2);
  const { page, problems } = await open();
  await page.goto(`/#/lectures/${studiedId}`);
  await page.locator('.segment').first().waitFor();
  await page.keyboard.press('/');
  await page.locator('#search:focus').waitFor();
  await page.keyboard.type('PRINT');
  const place = page.locator('.transcript-search .search-status');
  const count = (name: string) => page.evaluate((key) => CSS.highlights.get(key)?.size ?? 0, name);
  await place.filter({ hasText: `1 of ${total}` }).waitFor();
  await expect.poll(() => count('found')).toBe(total);
  await page.keyboard.press('Shift+Enter');
  await place.filter({ hasText: `${total} of ${total}` }).waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await place.filter({ hasText: `2 of ${total}` }).waitFor();
  const marked = () => page.evaluate(() => [...(CSS.highlights.get('found-now') ?? [])].map(String));
  await expect.poll(marked).toEqual([expect.stringMatching(/^print$/i)]);
  // The rows are one stop for the Tab key, and the arrows go from row to row.
  expect(await page.locator('.segment .moment[tabindex="0"]').count()).toBe(1);
  await page.locator('.segment .moment').nth(2).focus();
  await page.keyboard.press('ArrowDown');
  await page.locator('.segment').nth(3).locator('.moment[tabindex="0"]:focus').waitFor();
  await page.locator('#search').fill('xylophone');
  await place.filter({ hasText: 'Nothing was found' }).waitFor();
  await expect.poll(() => count('found')).toBe(0);
  expect(problems).toEqual([]);
});

test('a course is made, gets lectures, is searched, renamed and deleted; its lectures stay', async () => {
  const { page, problems } = await open();
  await page.goto('/');
  await page.getByRole('button', { name: 'New course' }).click();
  await page.getByRole('dialog').getByLabel('Title').fill('Book history <b>');
  await page.keyboard.press('Enter');
  await page.waitForURL(/#\/courses\/[0-9a-z]{26}$/);
  const courseUrl = page.url();
  const courseId = courseUrl.split('/').at(-1) ?? '';
  await page.getByRole('heading', { name: 'Book history <b>' }).waitFor();
  const file = await excerpt('In the course.mp3', 0, 10);
  const buffer = Buffer.from(await file.arrayBuffer());
  await page.setInputFiles('#pick', { name: file.name, mimeType: file.type, buffer });
  await page.locator('.lecture-link', { hasText: 'In the course' }).waitFor();

  await page.goto(`/#/lectures/${studiedId}`);
  await page.getByRole('button', { name: 'Edit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Title').fill('Printing, moved');
  await dialog.getByLabel('Course').selectOption('Book history <b>');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'Printing, moved' }).waitFor();
  expect((await system.client.getLecture(studiedId)).courseId).toBe(courseId);

  await page.goto(courseUrl);
  await page.locator('.lecture-link', { hasText: 'Printing, moved' }).waitFor();
  await page.getByLabel('Search in this course').fill('letters');
  await page.locator('.found', { hasText: 'Printing, moved' }).first().waitFor();
  await page.getByRole('button', { name: 'Show topics' }).click();
  await page.locator('.course-topics tbody tr').first().locator('.topic-dot').first().waitFor({ timeout: 90_000 });
  await page.getByRole('button', { name: 'Rename' }).click();
  await page.getByRole('dialog').getByLabel('Title').fill('Printing and books');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Printing and books' }).waitFor();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL(/#\/$/);
  await page.locator('.lecture-link', { hasText: 'Printing, moved' }).waitFor();
  await page.goto(courseUrl);
  await page.getByRole('heading', { name: 'This course is not here' }).waitFor();
  expect(problems.filter((problem) => !problem.includes('404'))).toEqual([]);
});

test('a text is corrected with undo, saved, found and exported, against another save, and as the machine wrote it again', async () => {
  const machine = await system.client.getTranscript(studiedId);
  const textOf = (id: number) => machine.segments[id]?.text ?? '';
  const { page, problems } = await open();
  const begin = async (name: string) => {
    await page.getByRole('button', { name, exact: true }).click();
    await page.locator('.segment-field').waitFor();
  };
  const row = (id: number) => page.locator(`.segment[data-index="${id}"]`);
  const write = async (id: number, text: string) => {
    if ((await row(id).locator('.segment-field').count()) === 0) await row(id).locator('.icon-button').click();
    await row(id).locator('.segment-field').fill(text);
  };
  const state = (text: string) => page.locator('.edit-state', { hasText: text }).waitFor();
  const save = () => page.getByRole('button', { name: 'Save', exact: true }).click();

  await page.goto(`/#/lectures/${studiedId}`);
  await begin('Correct text');
  await write(0, `Xylography, ${textOf(0)}`);
  await page.keyboard.press('Enter');
  await page.keyboard.type('Nobody said this. ');
  // The page's place among other windows is lost and found in the middle of a sentence.
  const field = row(1).locator('.segment-field');
  await field.blur();
  await field.focus();
  await page.keyboard.type('Nor that.');
  expect(await field.inputValue()).toBe(`${textOf(1)}Nobody said this. Nor that.`);
  await state('2 segments corrected');
  // Segment 1 is heard beside it, and what was written there is taken back.
  await page.keyboard.press('Control+Enter');
  await page.waitForFunction(() => !document.querySelector('audio')?.paused);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await row(1)
    .locator('.segment-field')
    .and(page.locator(':focus'))
    .evaluate((field, text) => (field as HTMLTextAreaElement).value === text || Promise.reject(text), textOf(1));
  await page.getByRole('button', { name: 'Redo' }).click();
  await row(1).locator('.segment-field').press('Control+z');
  await state('1 segment corrected, not saved');
  // Somebody who has a letter from an input method ends it with Enter; Safari says so with the code alone.
  await page.locator('.segment-field:focus').evaluate((field) => {
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true }));
  });
  expect(await row(1).locator('.segment-field').count()).toBe(1);
  // What is not saved outlives the tab.
  await page.reload();
  await begin('Correct text (1 not saved)');
  await page.getByRole('button', { name: 'Save', exact: true }).press('Enter');
  await state('Saved as version 1.');
  await page.locator('.edit-tools .is-main:focus').waitFor();
  await page.getByRole('button', { name: 'Stop correcting' }).click();
  await row(0).locator('.flag', { hasText: 'corrected' }).waitFor();
  expect(await row(0).locator('.segment-text').textContent()).toBe(`Xylography, ${textOf(0)}`);
  expect(await system.client.getExport(studiedId, 'transcript', 'srt')).toContain('Xylography,');
  await page.goto('/#/');
  await page.getByLabel('Search in all lectures').fill('xylography');
  await page.locator('.found mark', { hasText: 'Xylography' }).first().click();
  await page.goto(`/#/lectures/${studiedId}`);

  await begin('Correct text');
  // The keys do the same while no field is open.
  await page.keyboard.press('Escape');
  await page.locator('.icon-button:focus').press('Enter');
  await page.locator('.segment-field:focus').waitFor();
  await page.keyboard.type('Taken back at once. ');
  await page.keyboard.press('Escape');
  await page.locator('.icon-button:focus').press('Control+z');
  await state('Enter goes to the next');
  // A link to another moment leaves the corrections as they are.
  await page.keyboard.press('Control+Shift+z');
  await state('1 segment corrected, not saved');
  await page.evaluate((id) => {
    location.hash = `#/lectures/${id}?at=100`;
  }, studiedId);
  await page.waitForFunction(() => document.querySelector('audio')?.currentTime === 100);
  await page.getByRole('button', { name: 'Undo' }).click();
  await state('Enter goes to the next');
  await system.client.editTranscript(studiedId, [{ id: 0, text: 'Somebody else.' }]);
  await page.getByRole('button', { name: 'Versions' }).click();
  await page.locator('.version', { hasText: /^Version 1.*shown now/ }).waitFor();
  await page.getByRole('button', { name: 'Show: Version 2' }).waitFor();
  await page.keyboard.press('Escape');
  await write(0, '');
  await write(2, 'What is mine.');
  // The search knows what is not saved, once its field is closed.
  await page.keyboard.press('Escape');
  await page.locator('#search').fill('is mine.');
  const marked = () => page.evaluate(() => [...(CSS.highlights.get('found-now') ?? [])].map(String));
  await expect.poll(marked).toEqual(['is mine.']);
  await page.locator('#search').fill('');
  await save();
  await state('saved somewhere else');
  await page.getByRole('button', { name: 'Show the newer text' }).click();
  await state('1 correction of text that was changed');
  await row(0).locator('.icon-button').click();
  await row(0).locator('.segment-newer', { hasText: 'Somebody else.' }).waitFor();
  await page.getByRole('button', { name: 'Keep mine' }).click();
  await row(0).locator('.segment-field:focus').waitFor();
  await state('2 segments corrected, not saved');
  await save();
  await state('Saved as version 3.');
  const edited = await system.client.getTranscript(studiedId);
  expect(edited.segments.slice(0, 3).map(({ text }) => text)).toEqual(['', textOf(1), 'What is mine.']);

  // A first segment that is left out is no place for the Tab key.
  await page.getByRole('button', { name: 'Stop correcting' }).click();
  await page.evaluate((seconds) => {
    const audio = document.querySelector('audio') as HTMLMediaElement;
    audio.currentTime = seconds;
  }, machine.segments[0]?.start ?? 0);
  await row(1).locator('.moment[tabindex="0"]').waitFor();
  await page.getByRole('tab', { name: 'Ask' }).click();
  await page.locator('#panel-ask .stale', { hasText: 'earlier version' }).waitFor();
  await page.getByRole('tab', { name: 'Summary' }).click();
  await begin('Correct text');

  await page.getByRole('button', { name: 'Versions' }).click();
  await page.locator('summary[aria-label="What it changes: The machine’s text"]').click();
  const changes = page.locator('details[open] .text-change');
  await expect.poll(() => changes.locator('del').allTextContents()).toEqual(['left out', 'What is mine.']);
  expect(await changes.locator('ins').allTextContents()).toEqual([textOf(0), textOf(2)]);
  await page.getByRole('button', { name: 'Restore: The machine’s text' }).click();
  await state('Saved as version 4.');
  expect((await system.client.getTranscript(studiedId)).segments).toEqual(machine.segments);
  await page.getByRole('button', { name: 'Make the study parts again' }).first().click();
  await page.locator('.stale').first().waitFor({ state: 'detached' });
  await page.locator('.lecture-status', { hasText: 'Ready' }).waitFor();
  await page.locator('.statement').first().waitFor();
  const { stages } = await system.client.getLecture(studiedId);
  expect(stages.slice(3).map(({ transcriptVersion }) => transcriptVersion)).toEqual([4, 4, 4, 4]);
  expect(problems.filter((problem) => !/\b412\b/.test(problem))).toEqual([]);
});
