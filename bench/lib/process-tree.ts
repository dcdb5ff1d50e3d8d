import { readdir, readFile } from 'node:fs/promises';

/** A process and everything below it (Linux). */
export async function readProcessTree(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => ''));
  const children = (await Promise.all(lists)).flatMap((list) => list.split(' ').filter((text) => text.trim() !== ''));
  const below = await Promise.all(children.map((child) => readProcessTree(Number(child))));
  return [pid, ...below.flat()];
}

/** Resident memory of one process in MB, what it shares with others included; 0 when it has gone. */
export async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

/** The sum over a process and everything below it, in MB. */
export async function treeMegabytes(pid: number): Promise<number> {
  const sizes = await Promise.all((await readProcessTree(pid)).map(residentMegabytes));
  return sizes.reduce((sum, size) => sum + size, 0);
}
