/** A phase of a process's start, and the seconds from the start of the process until it was over. */
export interface StartupPhase {
  phase: string;
  seconds: number;
}

export interface StartupClock {
  /** Notes that a phase is over. The first mark of a name counts. @returns seconds since the process was started */
  mark(phase: string): number;
  /** Seconds since the process was started, by phase, in the order of the marks. */
  phases(): Record<string, number>;
  /** Calls back for every mark made so far and for each that follows: metrics are loaded later than the clock. */
  observe(listener: (phase: StartupPhase) => void): void;
}

/**
 * Measures a start from the birth of the process (`performance.timeOrigin`), so that the time that Node needs to
 * begin is counted too.
 */
export function createStartupClock(now: () => number = () => performance.now()): StartupClock {
  const marks = new Map<string, number>();
  const listeners: ((phase: StartupPhase) => void)[] = [];
  return {
    mark(phase) {
      const seconds = marks.get(phase) ?? now() / 1000;
      if (!marks.has(phase)) {
        marks.set(phase, seconds);
        for (const listener of listeners) listener({ phase, seconds });
      }
      return seconds;
    },
    phases: () => Object.fromEntries(marks),
    observe(listener) {
      listeners.push(listener);
      for (const [phase, seconds] of marks) listener({ phase, seconds });
    },
  };
}
