// `npm test`: set-up, the gates (format and lint, types, unused code) and every test that needs no more than Redis and
// ffmpeg. `npm run test:system`: the tests under e2e/system, with nginx, Chromium, Prometheus and Docker.
// Other arguments go to vitest. At the end stands all that failed; the last line is `N passed, N failed[, N skipped]`, where
// a gate counts as a test. `--outcome=FILE` writes the same as JSON.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onStopSignals } from './lib/children.mjs';
import { addFailure, noOutcome, readReport, toClosingLines, toSum, withStatus } from './lib/test-report.mjs';
import { startRedis } from './redis.mjs';
import { rootDir, setUp } from './setup.mjs';

const gates = [
  { name: 'format and lint (biome)', bin: 'biome', args: ['check', '--error-on-warnings', '.'] },
  { name: 'types (tsc)', bin: 'tsc', args: ['-b'] },
  { name: 'unused code and dependencies (knip)', bin: 'knip', args: ['--no-config-hints'] },
];

const outcomeOption = '--outcome=';

let running = null;

/** Runs a program of node_modules, without npx. @returns {Promise<number>} exit status, 1 for a signal */
async function runBin({ bin, args, env = process.env }) {
  const child = spawn(path.join(rootDir, 'node_modules/.bin', bin), args, {
    cwd: rootDir,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  running = child;
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function runGates() {
  const outcome = noOutcome();
  for (const gate of gates) {
    const status = await runBin(gate);
    console.log(`${status === 0 ? '✓' : '✗'} ${gate.name}`);
    if (status === 0) outcome.passed += 1;
    else addFailure(outcome, gate.name, 'What it found stands above, before the tests.');
  }
  return outcome;
}

async function runVitest({ projects, args, tempDir }) {
  const redis = await startRedis({ dataDir: path.join(tempDir, 'redis'), durable: false });
  const reportPath = path.join(tempDir, 'report.json');
  try {
    const status = await runBin({
      bin: 'vitest',
      args: [
        'run',
        ...projects.flatMap((project) => ['--project', project]),
        ...['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`],
        ...args,
      ],
      env: { ...process.env, STUDYMATE_TEST_REDIS_URL: redis.url },
    });
    const report = await readFile(reportPath, 'utf8').then(JSON.parse, () => null);
    return withStatus(report === null ? null : readReport(report), status, `vitest, ${projects.join(', ')}`);
  } finally {
    await redis.close();
  }
}

async function main() {
  const args = process.argv.slice(2);
  const system = args.includes('--system');
  const outcomePath = args.find((arg) => arg.startsWith(outcomeOption))?.slice(outcomeOption.length);
  const vitestArgs = args.filter((arg) => arg !== '--system' && !arg.startsWith(outcomeOption));
  const stop = new AbortController();
  onStopSignals(
    () => {
      stop.abort();
      running?.kill('SIGTERM');
    },
    () => process.exit(130),
  );
  const outcomes = [];
  const tempDir = await mkdtemp(path.join(tmpdir(), 'studymate-test-'));
  try {
    await setUp({ log: (line) => console.log(line), system, signal: stop.signal });
    if (!system && vitestArgs.length === 0) outcomes.push(await runGates());
    stop.signal.throwIfAborted();
    const projects = system ? ['system'] : ['unit', 'whole', 'faults'];
    outcomes.push(await runVitest({ projects, args: vitestArgs, tempDir }));
  } catch (error) {
    const broken = noOutcome();
    addFailure(broken, system ? 'npm run test:system' : 'npm test', error.message);
    outcomes.push(broken);
  } finally {
    await rm(tempDir, { recursive: true, force: true });
  }
  const sum = toSum(outcomes);
  if (outcomePath !== undefined) await writeFile(outcomePath, JSON.stringify(sum));
  console.log(toClosingLines(sum));
  return sum.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
