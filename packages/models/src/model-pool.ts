import type { AppError } from '@studymate/contracts/errors';
import type { ModelReport, ModelState } from '@studymate/contracts/models';
import type { Lease, ModelFamily } from './model-family.ts';

export interface ModelPoolDeps {
  /** Processes at most, at least one. */
  count: number;
  /** One of them; not loaded yet. */
  createFamily: (onChange: ModelPoolDeps['onChange']) => ModelFamily;
  /** With what is true of all together. */
  onChange: (report: ModelReport, reason?: AppError) => void;
}

interface Member {
  family: ModelFamily;
  leases: number;
}

/** Which state counts when they differ. */
const order: readonly ModelState[] = ['ready', 'loading', 'failed', 'unloaded'];

/**
 * Several processes of one family that look like one, for machines with many cores: a small model does not get quicker by
 * more than a few threads. A use gets the loaded process that has the fewest; when that one is busy, another is loaded
 * for later uses meanwhile, and nobody waits for it. Each is unloaded by its own idleness.
 */
export function createModelPool(deps: ModelPoolDeps): ModelFamily {
  const members: Member[] = Array.from({ length: deps.count }, () => ({
    family: deps.createFamily((_, reason) => deps.onChange(report(), reason)),
    leases: 0,
  }));
  const first = members[0] as Member;
  const isIn = (state: ModelState) => (member: Member) => member.family.report().state === state;

  const choose = (): Member => {
    const ready = members.filter(isIn('ready')).sort((a, b) => a.leases - b.leases)[0];
    // One load however many wait for it: the others are loaded only once there is more to do than one can.
    if (!ready) return members.find(isIn('loading')) ?? first;
    if (ready.leases > 0 && !members.some(isIn('loading'))) {
      // One whose last load failed is tried again, too: a family backs off by itself. Who fails says so by its state.
      const next = members.find(isIn('unloaded')) ?? members.find(isIn('failed'));
      next?.family.load().catch(() => {});
    }
    return ready;
  };

  const report = (): ModelReport => {
    const reports = members.map(({ family }) => family.report());
    const state = order.find((each) => reports.some((one) => one.state === each)) ?? 'unloaded';
    const its = reports.filter((one) => one.state === state).sort((a, b) => a.since.localeCompare(b.since));
    const memory = reports.flatMap(({ memoryBytes }) => memoryBytes ?? []);
    return {
      ...(its[0] as ModelReport),
      lastLoadSeconds: its.find((one) => one.lastLoadSeconds !== null)?.lastLoadSeconds ?? null,
      memoryBytes: memory.length === 0 ? null : memory.reduce((sum, bytes) => sum + bytes, 0),
      openWork: reports.reduce((sum, { openWork }) => sum + openWork, 0),
    };
  };

  return {
    async acquire(signal) {
      const member = choose();
      member.leases++;
      let released = false;
      const release = () => {
        if (!released) member.leases--;
        released = true;
      };
      try {
        const lease: Lease = await member.family.acquire(signal);
        return {
          ...lease,
          release() {
            release();
            lease.release();
          },
        };
      } catch (error) {
        release();
        throw error;
      }
    },
    async load() {
      // One after the other: each looks at the memory that those before it have left. One is enough to work with.
      await first.family.load();
      for (const { family } of members.slice(1)) await family.load().catch(() => {});
    },
    report,
    lastProgressAtMs() {
      const times = members.flatMap(({ family }) => family.lastProgressAtMs() ?? []);
      return times.length === 0 ? null : Math.max(...times);
    },
    async close() {
      await Promise.all(members.map(({ family }) => family.close()));
    },
  };
}
