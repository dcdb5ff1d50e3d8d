// What .ci/run calls, everything that must hold before a change goes in: `npm test`, then `npm run test:system`. At the end
// stands all that failed in either, and as the last line the sum of their closing lines; the status is not 0 when either
// failed. It asks nothing and reads no standard input.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { toClosingLines, toSum, withStatus } from './lib/test-report.mjs';

const rootDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const runs = [
  { name: 'npm test', args: [] },
  { name: 'npm run test:system', args: ['--system'] },
];

async function runScript({ name, args }, outcomePath) {
  const child = spawn(process.execPath, [path.join(rootDir, 'scripts/test.mjs'), ...args, `--outcome=${outcomePath}`], {
    cwd: rootDir,
    env: { CI: 'true', ...process.env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const status = await new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  return withStatus(await readFile(outcomePath, 'utf8').then(JSON.parse, () => null), status, name);
}

const tempDir = await mkdtemp(path.join(tmpdir(), 'studymate-ci-'));
const outcomes = [];
try {
  for (const [index, run] of runs.entries()) {
    outcomes.push(await runScript(run, path.join(tempDir, `outcome-${index}.json`)));
  }
} finally {
  await rm(tempDir, { recursive: true, force: true });
}
const total = toSum(outcomes);
console.log(toClosingLines(total));
process.exitCode = total.failed === 0 ? 0 : 1;
