import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../src/model-process/engines/run-program.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-program-'));
});
afterEach(() => rm(dir, { recursive: true }));

const node = (script: string, ...args: string[]) => ({ program: process.execPath, args: ['-e', script, ...args] });

test('arguments arrive as they are, through no shell; the environment is empty; the input is read', async () => {
  const file = path.join(dir, 'seen');
  const script = `
    const fs = require('node:fs');
    const input = fs.readFileSync(0, 'utf8');
    fs.writeFileSync(process.argv[1], JSON.stringify([process.argv.slice(2), Object.keys(process.env), input]));
    console.error('done'); process.exit(3);`;
  const hostile = ['$(touch x)', '; rm -rf .', '`id`', '*', 'a b'];
  const result = await runProgram({ ...node(script, file, ...hostile), input: Buffer.from('sound') });
  expect(result).toEqual({ status: 3, errorText: 'done\n' });
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual([hostile, [], 'sound']);
});

test('when the signal fires the program is killed, and its end is waited for', async () => {
  const controller = new AbortController();
  const reason = new Error('not wanted any more');
  const file = path.join(dir, 'pid');
  const script = `require('node:fs').writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1000);`;
  const running = runProgram({ ...node(script, file), input: Buffer.alloc(0), signal: controller.signal });
  const pid = async () => Number(await readFile(file, 'utf8').catch(() => ''));
  await expect.poll(pid).toBeGreaterThan(0);
  controller.abort(reason);
  await expect(running).rejects.toBe(reason);
  const ended = await pid();
  expect(() => process.kill(ended, 0)).toThrowError(/ESRCH/);
  await expect(runProgram({ ...node(''), input: Buffer.alloc(0), signal: controller.signal })).rejects.toBe(reason);
});

test('a program that reads nothing and one that cannot be started', async () => {
  const big = Buffer.alloc(1 << 20);
  expect(await runProgram({ ...node('process.exit(0)'), input: big })).toMatchObject({ status: 0 });
  const missing = path.join(dir, 'no-such-program');
  await expect(runProgram({ program: missing, args: [], input: big })).rejects.toMatchObject({ code: 'model_missing' });
});
