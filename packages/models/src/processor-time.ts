import { readFileSync } from 'node:fs';

/**
 * Processor time that a process has used so far, its own and the kernel's on its behalf, in clock ticks (10 ms): field 14
 * and 15 of /proc/PID/stat, see proc(5).
 * @returns null where there is no such process, or no /proc
 */
export function readProcessorTicks(pid: number): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets, and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isFinite(ticks) ? ticks : null;
  } catch {
    return null;
  }
}
