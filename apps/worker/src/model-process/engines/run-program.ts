import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { AppError } from '@studymate/contracts/errors';

const setpriv = '/usr/bin/setpriv';
/** What a program says of itself is kept to this length, the end of it. */
const maxErrorBytes = 64 * 1024;

export interface RunProgramOptions {
  /** Absolute. */
  program: string;
  args: readonly string[];
  /** Given on standard input. */
  input: Uint8Array;
  signal?: AbortSignal | undefined;
}

/**
 * Runs a program with a list of arguments, without a shell and with an empty environment. It is killed when the signal
 * fires, and (where there is setpriv) when this process ends.
 * @returns its exit status (null: a signal ended it) and what it wrote to standard error
 * @throws the signal's reason; AppError `model_missing` when the program cannot be started
 */
export async function runProgram(options: RunProgramOptions): Promise<{ status: number | null; errorText: string }> {
  const { program, args, input, signal } = options;
  // setpriv would say it by a status of its own.
  await access(program, constants.X_OK).catch((cause: unknown) => {
    throw new AppError('model_missing', `There is no program ${program}`, { cause });
  });
  signal?.throwIfAborted();
  const withUs = process.platform === 'linux' && existsSync(setpriv);
  const child = withUs
    ? spawn(setpriv, ['--pdeathsig', 'KILL', '--', program, ...args], { env: {}, stdio: ['pipe', 'ignore', 'pipe'] })
    : spawn(program, args, { env: {}, stdio: ['pipe', 'ignore', 'pipe'] });
  const stop = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  try {
    let errors = Buffer.alloc(0);
    child.stderr.on('data', (data: Buffer) => {
      errors = Buffer.concat([errors, data]).subarray(-maxErrorBytes);
    });
    // A program that ends before it has read everything says why by its status.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (cause) =>
        reject(new AppError('model_missing', `${program} cannot be started: ${cause.message}`, { cause })),
      );
      child.once('close', resolve);
    });
    signal?.throwIfAborted();
    return { status, errorText: errors.toString('utf8') };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
