// What .ci/run calls, everything that must hold before a change goes in: `npm test`, then `npm run test:system`. The last
// line is the sum of their closing lines; the status is not 0 when either failed. It asks nothing and reads no standard
// input.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseClosingLine, toClosingLine, withOutcome } from './lib/test-report.mjs';

const rootDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

async function runScript(args) {
  const child = spawn(process.execPath, [path.join(rootDir, 'scripts/test.mjs'), ...args], {
    cwd: rootDir,
    env: { CI: 'true', ...process.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let tail = '';
  child.stdout.on('data', (chunk) => {
    process.stdout.write(chunk);
    tail = (tail + chunk).slice(-1_000);
  });
  const status = await new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  return withOutcome(parseClosingLine(tail), status);
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const args of [[], ['--system']]) {
  const counts = await runScript(args);
  for (const key of Object.keys(total)) total[key] += counts[key];
}
console.log(toClosingLine(total));
process.exitCode = total.failed === 0 ? 0 : 1;
