import type { ModelFamily } from '@studymate/contracts/models';
import { type DemandHistory, hourMs } from '@studymate/queue/demand-history';
import { isToBeWarm } from './expect-demand.ts';

/** Loads models before the hours in which they are usually used, and lets them go after. */
export interface Warming {
  /** To be called for every use of a model. */
  noteUse(family: ModelFamily): void;
  start(): void;
  /** What is done at the start and once a minute: writes down the uses, and loads or lets go. */
  look(): Promise<void>;
  close(): Promise<void>;
}

const lookEveryMs = 60_000;

export function createWarming(deps: {
  history: DemandHistory;
  families: readonly ModelFamily[];
  /** Loads a model and keeps it until what is returned is called. */
  hold(family: ModelFamily): Promise<() => void>;
  onChange(family: ModelFamily, isWarm: boolean): void;
  onError(error: unknown): void;
  /** Whether Redis is there: what is asked of it while it is away would be done later, and again. */
  canAsk(): boolean;
  now?: () => number;
}): Warming {
  const { history, families, now = Date.now } = deps;
  /** Not written down yet: while Redis is away it waits here. */
  const noted = new Map<ModelFamily, Map<number, number>>();
  const held = new Map<ModelFamily, () => void>();
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let closed = false;

  const write = async (family: ModelFamily) => {
    const uses = noted.get(family);
    if (!uses) return;
    noted.delete(family);
    try {
      await history.add(family, uses);
    } catch (error) {
      for (const [hour, count] of uses) add(family, hour, count);
      throw error;
    }
  };
  const add = (family: ModelFamily, hour: number, count: number) => {
    const uses = noted.get(family) ?? new Map<number, number>();
    uses.set(hour, (uses.get(hour) ?? 0) + count);
    noted.set(family, uses);
  };
  const lookAt = async (family: ModelFamily) => {
    await write(family);
    const isWanted = isToBeWarm(await history.read(family, now()), now());
    const release = held.get(family);
    if (isWanted && !closed) {
      // Also when it is held already: its process may have died meanwhile.
      const made = await deps.hold(family);
      if (closed) return made();
      held.set(family, made);
      release?.();
      if (!release) deps.onChange(family, true);
    } else if (!isWanted && release) {
      held.delete(family);
      release();
      deps.onChange(family, false);
    }
  };
  const look = async () => {
    for (const family of families) if (!closed && deps.canAsk()) await lookAt(family).catch(deps.onError);
  };

  return {
    noteUse: (family) => add(family, Math.floor(now() / hourMs), 1),
    start() {
      const lookUnlessLooking = () => {
        if (isLooking) return;
        isLooking = true;
        look().finally(() => {
          isLooking = false;
        });
      };
      timer = setInterval(lookUnlessLooking, lookEveryMs);
      timer.unref();
      lookUnlessLooking();
    },
    look,
    async close() {
      closed = true;
      clearInterval(timer);
      for (const release of held.values()) release();
      held.clear();
      for (const family of families) if (deps.canAsk()) await write(family).catch(() => {});
    },
  };
}
