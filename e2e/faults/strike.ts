import { existsSync } from 'node:fs';
import path from 'node:path';
import { type FoundProcess, listDescendants } from '../support/processes.ts';
import type { RunningSystem } from '../support/running-system.ts';
import { until } from '../support/until.ts';

/** Waits until a lecture's folder has a file or folder of one of the names, such as "runs/topics/1/0-1". */
export async function untilStored(system: RunningSystem, lectureId: string, ...names: string[]): Promise<void> {
  const folder = path.join(system.dataDir, 'lectures', lectureId);
  const isThere = (name: string) => existsSync(path.join(folder, name));
  await until(`${names[0]} of lecture ${lectureId} in the store`, () => names.some(isThere), { everyMs: 1 });
}

export type ChildKind = 'speech' | 'text' | 'study' | 'ffmpeg';

/** What each kind of child process is known by. */
const marks: Record<ChildKind, (process: FoundProcess) => boolean> = {
  speech: ({ commandLine }) => isModelProcess(commandLine, 'speech'),
  text: ({ commandLine }) => isModelProcess(commandLine, 'text'),
  study: ({ commandLine }) => commandLine.some((part) => part.endsWith('study-process.js')),
  ffmpeg: ({ commandLine }) => /(^|\/)ffmpeg$/.test(commandLine[0] ?? ''),
};

function isModelProcess(commandLine: string[], family: string): boolean {
  const program = commandLine.findIndex((part) => part.endsWith('model-process.js'));
  return program !== -1 && (commandLine[program + 1] ?? '').includes(`"family":"${family}"`);
}

/** The worker's child processes of a kind that run now. */
export async function findChildren(system: RunningSystem, kind: ChildKind): Promise<number[]> {
  return (await listDescendants([system.worker().pid])).filter(marks[kind]).map((each) => each.pid);
}

/** Waits until the worker has a child of this kind. */
export async function untilChild(system: RunningSystem, kind: ChildKind): Promise<number> {
  return until(`a ${kind} process`, async () => (await findChildren(system, kind)).at(0), { everyMs: 1 });
}

/** Signals to a process that may have ended meanwhile. @returns whether it was there */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** Ends the worker's children of a kind, so that the next ones are new. */
export async function endChildren(system: RunningSystem, kind: ChildKind): Promise<void> {
  for (const pid of await findChildren(system, kind)) signal(pid, 'SIGKILL');
  await until(`no ${kind} process`, async () => (await findChildren(system, kind)).length === 0);
}
