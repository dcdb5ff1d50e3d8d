import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@studymate/contracts/errors';

/** A control group that this process is in: what limits it, and what it has taken. All in bytes. */
export interface MemoryGroup {
  limitBytes: number;
  usedBytes: number;
  /** Of what is used, file content that goes as soon as memory is wanted. */
  reclaimableBytes: number;
}

/**
 * Bytes that can still be taken: of the machine, and of every control group above the process, the least. Swap does not
 * count: a model that is swapped is of no use.
 */
export function leastLeft(machineBytes: number, groups: readonly MemoryGroup[]): number {
  const left = groups.map(({ limitBytes, usedBytes, reclaimableBytes }) => limitBytes - usedBytes + reclaimableBytes);
  return Math.max(0, Math.min(machineBytes, ...left));
}

/**
 * Reads what is left on a Linux machine, in cgroups of version 2 or 1.
 * @param root the file system's root
 * @returns null where the system does not say
 */
export async function readMemoryLeft(root = '/'): Promise<number | null> {
  const read = (...parts: string[]) => readFile(path.join(root, ...parts), 'utf8').catch(() => '');
  const availableKb = /^MemAvailable:\s+(\d+) kB/m.exec(await read('proc/meminfo'))?.[1];
  if (availableKb === undefined) return null;
  const groups: MemoryGroup[] = [];
  for (const line of (await read('proc/self/cgroup')).split('\n')) {
    const [, controllers, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const form = controllers === '' ? v2 : controllers?.split(',').includes('memory') ? v1 : null;
    if (!form || group === undefined) continue;
    // In a container the path may be the host's, which is not to be seen here: then the top is the container's own group.
    for (let at = group; ; at = path.dirname(at)) {
      const folder = path.join(form.folder, at);
      const limitBytes = Number.parseInt(await read(folder, form.limit), 10);
      const usedBytes = Number.parseInt(await read(folder, form.used), 10);
      if (limitBytes >= 0 && usedBytes >= 0) {
        const inactive = new RegExp(`^${form.inactive} (\\d+)`, 'm').exec(await read(folder, 'memory.stat'))?.[1];
        groups.push({ limitBytes, usedBytes, reclaimableBytes: Number(inactive ?? 0) });
      }
      if (at === '/') break;
    }
  }
  return leastLeft(Number(availableKb) * 1024, groups);
}

const v2 = {
  folder: 'sys/fs/cgroup',
  limit: 'memory.max',
  used: 'memory.current',
  inactive: 'inactive_file',
};
const v1 = {
  folder: 'sys/fs/cgroup/memory',
  limit: 'memory.limit_in_bytes',
  used: 'memory.usage_in_bytes',
  inactive: 'total_inactive_file',
};

/**
 * Less than this has never been enough, measured when loaded: whisper-base 257 MB for graphs of 79 MB, its usual export
 * 285 MB (peak 311) for 83 MB, all-MiniLM-L6-v2 158 MB for 23 MB. At work it is more (whisper-base 570 MB), but that is
 * given back between windows and grows with the width of a model, not with its size.
 */
const processBytes = 90e6;
const bytesEachWeight = 2.5;

/** The memory that a process with these graphs needs at least. @param graphBytes of all graphs together, as files */
export function leastNeeded(graphBytes: number): number {
  return processBytes + bytesEachWeight * graphBytes;
}

/**
 * Refuses to load what could only end with the process being killed for its memory, or with another one.
 * @throws AppError `model_too_large`
 */
export function mustHaveMemory(name: string, graphBytes: number, leftBytes: number | null): void {
  const neededBytes = leastNeeded(graphBytes);
  if (leftBytes === null || leftBytes >= neededBytes) return;
  const [needs, left] = [neededBytes, leftBytes].map((bytes) => `${Math.round(bytes / 1e6)} MB`);
  throw new AppError(
    'model_too_large',
    `${name} needs at least ${needs} of memory, and ${left} are left. Give it more memory, or take a smaller model.`,
  );
}

/** Bytes of the graphs that are loaded from a model folder. A batched decoder is loaded instead of a merged one. */
export async function graphBytesOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const graphs = names.filter((name) => /\.onnx(_data)?$/.test(name));
  const isBatched = graphs.some((name) => path.basename(name) === 'decoder_batched_quantized.onnx');
  let bytes = 0;
  for (const name of graphs) {
    if (isBatched && path.basename(name).startsWith('decoder_model_merged')) continue;
    bytes += (await stat(path.join(folder, name)).catch(() => null))?.size ?? 0;
  }
  return bytes;
}
