import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

/**
 * What somebody sees who has just cloned the project. It clones what is committed: changes that are not are not tested.
 * Redis and ffmpeg are there by then (npm test installs them); packages come from npm's cache where it has them.
 */
const rootDir = path.resolve(import.meta.dirname, '..');
const run = promisify(execFile);

let tempDir: string;
let cloneDir: string;
beforeAll(async () => {
  tempDir = await mkdtemp(path.join(tmpdir(), 'studymate-clone-'));
  cloneDir = path.join(tempDir, 'studymate');
  await run('git', ['clone', '--quiet', '--depth', '1', `file://${rootDir}`, cloneDir]);
});
afterAll(() => rm(tempDir, { recursive: true, force: true }));

/** The environment of a person's terminal, without what the test runner and the suite's own set-up have put there. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const ours =
    /^(NODE_ENV|NODE_OPTIONS|VITEST.*|TEST|DEV|PROD|MODE|SSR|BASE_URL|STUDYMATE_.*|PORT|HOST|DATA_DIR|REDIS_URL|INIT_CWD|npm_.*)$/;
  const kept = Object.entries(process.env).filter(([name]) => !ours.test(name));
  return { ...Object.fromEntries(kept), npm_config_prefer_offline: 'true' };
}

async function runDemo() {
  const { stdout, stderr } = await run('npm', ['run', '--silent', 'demo', '--', '--once', '--json'], {
    cwd: cloneDir,
    env: plainEnvironment(),
    timeout: 9 * 60_000,
    maxBuffer: 64 * 2 ** 20,
  });
  return { document: JSON.parse(stdout), progress: stderr };
}

/** Command lines of processes that run from the clone (Linux only; empty elsewhere). */
async function processesOfClone(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of existsSync('/proc') ? await readdir('/proc') : []) {
    if (!/^\d+$/.test(pid)) continue;
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const folder = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (commandLine.includes(cloneDir) || folder.includes(`PWD=${cloneDir}\0`)) found.push(commandLine);
  }
  return found;
}

const toWords = (text: string) => text.toLowerCase().match(/\p{L}+/gu) ?? [];

test('a fresh clone makes a study set of the sample by one command, and a second run installs and builds nothing', {
  timeout: 20 * 60_000,
}, async () => {
  expect(existsSync(path.join(cloneDir, 'node_modules'))).toBe(false);
  const { document, progress } = await runDemo();
  expect(progress).toContain('installing packages');
  expect(progress).toMatch(/transcribe \d+ %/);
  expect(document.startup).toEqual({ apiSeconds: expect.any(Number), workerSeconds: expect.any(Number) });
  for (const seconds of Object.values(document.phases)) expect(seconds).toEqual(expect.any(Number));

  expect(document.lectures).toHaveLength(1);
  const [lecture] = document.lectures;
  expect(lecture).not.toHaveProperty('error');
  expect(lecture.file).toBe('samples/history-of-printing.mp3');
  expect(lecture.firstWordsSeconds).toBeGreaterThan(0);
  expect(lecture.realTimeFactor).toBeGreaterThan(0);

  // The transcript is of this recording: nearly every different word of what was said is in it.
  const said = new Set(toWords(await readFile(path.join(rootDir, 'samples/history-of-printing.txt'), 'utf8')));
  const heard = new Set(toWords(lecture.transcript.text));
  const missed = [...said].filter((word) => !heard.has(word));
  expect(missed.length / said.size).toBeLessThan(0.2);
  expect(lecture.transcript.language).toBe('en');

  const durationSeconds = 222;
  let lastStart = 0;
  for (const word of lecture.transcript.words) {
    expect(word.start).toBeGreaterThanOrEqual(lastStart);
    expect(word.end).toBeGreaterThanOrEqual(word.start);
    expect(word.end).toBeLessThanOrEqual(durationSeconds);
    expect(word.probability).toBeGreaterThanOrEqual(0);
    lastStart = word.start;
  }
  expect(lecture.transcript.words.length).toBeGreaterThan(500);

  expect(lecture.chapters.length).toBeGreaterThan(0);
  expect(lecture.topics.length).toBeGreaterThan(0);
  expect(lecture.flashcards.length).toBeGreaterThan(0);
  expect(lecture.summary.statements.length).toBeGreaterThan(0);
  for (const statement of lecture.summary.statements) {
    expect(statement.end).toBeGreaterThan(statement.start);
    expect(statement.end).toBeLessThanOrEqual(durationSeconds);
  }
  const stages = ['ingest', 'transcribe', 'assemble', 'chapters', 'topics', 'summary', 'flashcards'];
  expect(Object.keys(lecture.stages)).toEqual(stages);
  for (const stage of stages) expect(lecture.stages[stage].seconds).toBeGreaterThanOrEqual(0);
  // Nothing was loaded yet; which stage comes first to a model is not for this test to say.
  expect(stages.some((stage) => lecture.stages[stage].cold === true)).toBe(true);
  expect(await processesOfClone()).toEqual([]);
  expect(existsSync(path.join(cloneDir, '.demo/1/lock'))).toBe(false);

  const made = ['node_modules/.package-lock.json', 'apps/api/dist/meta.json', 'apps/worker/dist/meta.json'];
  const timesOf = () => Promise.all(made.map(async (file) => (await stat(path.join(cloneDir, file))).mtimeMs));
  const before = await timesOf();
  const second = await runDemo();
  expect(second.progress).not.toMatch(/installing|building/);
  expect(await timesOf()).toEqual(before);
  expect(second.document.lectures[0].transcript.text).toBe(lecture.transcript.text);
  expect(await processesOfClone()).toEqual([]);
});
