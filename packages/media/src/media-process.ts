import { type ChildProcess, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { AppError } from '@studymate/contracts/errors';
import { detectIsolation, type Isolation, mediaEnvironment } from './isolation.ts';

export interface MediaProcessOptions {
  /** Path of ffmpeg or ffprobe. */
  program: string;
  args: string[];
  /** Wall clock from the start; then SIGKILL. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Sent to the standard input, which is closed otherwise. */
  input?: Uint8Array;
  /** Gets all of the error output, in pieces; only its end is kept for `ended`. */
  onStderr?: (text: string) => void;
  /** What `detectIsolation` found; found out anew for this call when not given. */
  isolation?: Isolation | undefined;
}

export interface MediaProcessEnd {
  exitCode: number | null;
  /** What ended it when it did not exit by itself. */
  signal: NodeJS.Signals | null;
  /** The last 8 KiB. */
  stderr: string;
  /** Why we ended it, or could not start it. */
  fault: AppError | null;
}

export interface MediaProcess {
  stdout: Readable;
  /** Settles once the process is gone and reaped; never rejects. */
  ended: Promise<MediaProcessEnd>;
  /** Ends the process at once (SIGKILL: ffmpeg ignores gentler ones while it waits for data). */
  kill(fault: AppError): void;
}

const maxStderrBytes = 8 * 1024;
/** Below everything that answers a request. */
const niceness = 10;
/** The exit codes by which unshare, setpriv and prlimit say that the next program could not be started. */
const notStartedCodes = new Set([126, 127]);

/** Starts ffmpeg or ffprobe with every barrier that this machine offers; no shell, no inherited environment. */
export async function startMediaProcess(options: MediaProcessOptions): Promise<MediaProcess> {
  const isolation = options.isolation ?? (await detectIsolation());
  const { signal } = options;
  if (signal?.aborted) throw new AppError('cancelled', 'The work was cancelled.');
  const [command = '', ...args] = [...isolation.prefix, options.program, ...options.args];
  const child = spawn(command, args, {
    stdio: [options.input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: mediaEnvironment,
    cwd: '/',
  });
  lowerPriority(child);

  let fault: AppError | null = null;
  const kill = (reason: AppError) => {
    fault ??= reason;
    child.kill('SIGKILL');
    // What nobody reads would keep the process from being reported as closed.
    child.stdout?.destroy();
  };
  const abort = () => kill(new AppError('cancelled', 'The work was cancelled.'));
  signal?.addEventListener('abort', abort, { once: true });
  const seconds = Math.round(options.timeoutMs / 1000);
  const timer = setTimeout(
    () => kill(new AppError('timeout', `Reading the recording took longer than ${seconds} s.`)),
    options.timeoutMs,
  );

  let stderr = Buffer.alloc(0);
  child.stderr?.on('data', (part: Buffer) => {
    stderr = Buffer.concat([stderr, part]).subarray(-maxStderrBytes);
    options.onStderr?.(part.toString('latin1'));
  });
  if (options.input) {
    // It may end before it has read everything (EPIPE); its exit code says what became of it.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
  }

  const ended = new Promise<MediaProcessEnd>((resolve) => {
    const end = (exitCode: number | null, endedBy: NodeJS.Signals | null = null) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      resolve({ exitCode, signal: endedBy, stderr: stderr.toString('utf8'), fault });
    };
    const notStarted = (cause?: unknown) =>
      new AppError('internal', `${options.program} could not be started: is ffmpeg installed?`, {
        retryable: false,
        cause,
      });
    child.once('error', (cause) => {
      fault ??= notStarted(cause);
      if (child.pid === undefined) end(null);
    });
    child.once('close', (code, signalCode) => {
      if (code !== null && notStartedCodes.has(code)) fault ??= notStarted(stderr.toString('utf8'));
      end(code, signalCode);
    });
  });
  if (!child.stdout) throw new AppError('internal', 'The media process has no output.');
  return { stdout: child.stdout, ended, kill };
}

function lowerPriority(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    setPriority(child.pid, niceness);
  } catch {
    // It may be gone already, and where it is not allowed the work goes on at the usual priority.
  }
}
