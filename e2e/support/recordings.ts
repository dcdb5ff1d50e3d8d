import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { rootDir } from './running-system.ts';

const run = promisify(execFile);

export const samplePath = path.join(rootDir, 'samples/history-of-printing.mp3');

/** A recording made by ffmpeg with the given arguments (inputs first), as the bytes of a file of that name. */
export async function makeRecording(name: string, args: string[]): Promise<File> {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-recording-'));
  try {
    const file = path.join(dir, name);
    await run('ffmpeg', ['-nostdin', '-v', 'error', ...args, file]);
    return new File([await readFile(file)], name);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** A stretch of the sample lecture. */
export function excerpt(name: string, startSeconds: number, seconds: number, output: string[] = []): Promise<File> {
  return makeRecording(name, ['-ss', String(startSeconds), '-t', String(seconds), '-i', samplePath, ...output]);
}

/**
 * The same sound as another recording, for what must be made anew each time: the API knows a recording by its bytes, and
 * a few zeros behind the end of an MP3 are not heard.
 * @param number another one for each copy; 0 is the recording itself
 */
export function toUnlike(recording: Blob, number: number): Blob {
  return number === 0 ? recording : new Blob([recording, new Uint8Array(number)]);
}
