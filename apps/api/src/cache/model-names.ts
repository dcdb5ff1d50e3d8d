import type { ModelFamily } from '@studymate/contracts/models';
import type { ModelFleet } from '@studymate/queue/model-fleet';
import { withRedis } from '@studymate/queue/redis';

/** Which weights the workers have: what was made by others is not given for theirs. */
export interface ModelNames {
  /** @returns the names of all workers' weights; what was known last while Redis is away; empty when nothing is known */
  read(family: ModelFamily): Promise<string>;
}

/** A worker with other weights starts seldom, and says so within seconds. */
const knownMs = 2_000;

export function createModelNames(deps: { fleet: Pick<ModelFleet, 'read'>; now?: () => number }): ModelNames {
  const { fleet, now = () => performance.now() } = deps;
  let known = new Map<ModelFamily, string>();
  let asked: Promise<void> | undefined;
  let askedMs = Number.NEGATIVE_INFINITY;
  const ask = async () => {
    const models = await withRedis(() => fleet.read()).catch(() => null);
    if (models) known = new Map(models.map(({ family, weights = '' }) => [family, weights]));
  };
  return {
    async read(family) {
      if (now() - askedMs > knownMs) {
        askedMs = now();
        asked = ask();
      }
      await asked;
      return known.get(family) ?? '';
    },
  };
}
