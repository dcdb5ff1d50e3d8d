import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { systemCode } from './file-system.ts';

/**
 * Says which process writes a temporary file, as a part of the file's name: "<pid>.<start>.<world>". A process number
 * alone says nothing: numbers are used again, and each container has its own. `start` is when the process began, in
 * ticks since the machine did; `world` stands for this run of the machine and this set of process numbers. Where
 * there is no /proc, only the number.
 */
export async function readWriterTag(): Promise<string> {
  try {
    const [bootId, numbers, self, start] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid'),
      readlink('/proc/self'),
      readProcess(process.pid).then((found) => found?.start),
    ]);
    // A /proc of another set of process numbers would call living writers gone.
    if (self !== String(process.pid) || start === undefined) return String(process.pid);
    const world = createHash('sha256').update(`${bootId}\n${numbers}`).digest('hex').slice(0, 16);
    return `${process.pid}.${start}.${world}`;
  } catch {
    return String(process.pid);
  }
}

/** A process of this machine; null when there is none of that number or nothing can be read of it. */
async function readProcess(pid: number): Promise<{ state: string; start: string } | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in brackets and may hold anything; proc(5) counts from 1, start is the 22nd.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, start] = [fields[0], fields[19]];
  return state && start ? { state, start } : null;
}

/**
 * Whether a temporary file's writer has ended.
 * @param mine this process' own tag
 * @returns null when it cannot be known: another machine, another container, an earlier run of this machine
 */
export async function isWriterGone(tag: string, mine: string): Promise<boolean | null> {
  const [pid, start, world] = tag.split('.');
  const here = mine.split('.')[2];
  if (here === undefined || world !== here) return null;
  try {
    process.kill(Number(pid), 0);
  } catch (thrown) {
    if (systemCode(thrown) === 'ESRCH') return true;
  }
  const running = await readProcess(Number(pid));
  // It is there, but it hides from us.
  if (!running) return false;
  // Z: it has ended and only its parent has not been told; it holds no file any more.
  return running.start !== start || running.state === 'Z' || running.state === 'X';
}
