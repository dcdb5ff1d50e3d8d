import { readdir, readFile } from 'node:fs/promises';

/** A process as /proc tells of it; there is none of this outside Linux. */
export interface FoundProcess {
  pid: number;
  parentPid: number;
  commandLine: string[];
}

async function readProcess(pid: number): Promise<FoundProcess | null> {
  const [stat, commandLine] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''),
    readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
  ]);
  // The name stands in brackets and may hold anything; state and parent come after it.
  const [state, parentPid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; whoever started it has not asked how yet.
  if (!parentPid || state === 'Z') return null;
  return { pid, parentPid: Number(parentPid), commandLine: commandLine.split('\0').filter((part) => part !== '') };
}

async function readProcesses(): Promise<FoundProcess[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  return (await Promise.all(pids.map(readProcess))).filter((found) => found !== null);
}

/** Everything below these processes, at any depth; they themselves are not in it. */
export async function listDescendants(pids: readonly (number | undefined)[]): Promise<FoundProcess[]> {
  const all = await readProcesses();
  const family = new Set<number>(pids.filter((pid) => pid !== undefined));
  const found: FoundProcess[] = [];
  for (let grew = true; grew; ) {
    grew = false;
    for (const each of all) {
      if (family.has(each.pid) || !family.has(each.parentPid)) continue;
      family.add(each.pid);
      found.push(each);
      grew = true;
    }
  }
  return found;
}

/** Processes that work on this data folder: it stands in their environment as DATA_DIR, or in their arguments. */
export async function listProcessesOf(dataDir: string): Promise<FoundProcess[]> {
  const found: FoundProcess[] = [];
  for (const each of await readProcesses()) {
    const environment = await readFile(`/proc/${each.pid}/environ`, 'utf8').catch(() => '');
    const isOurs =
      environment.split('\0').includes(`DATA_DIR=${dataDir}`) ||
      each.commandLine.some((part) => part.includes(`${dataDir}/`));
    if (isOurs) found.push(each);
  }
  return found;
}
