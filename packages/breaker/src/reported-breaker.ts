import type { Logger } from '@studymate/observability/logger';
import type { Metrics } from '@studymate/observability/metrics';
import { type Breaker, type BreakerDeps, createBreaker } from './breaker.ts';

/** A breaker that says in metrics and log what it does. @param dependency what it stands round, as metrics name it */
export function createReportedBreaker(
  dependency: string,
  deps: Pick<BreakerDeps, 'failures' | 'openMs' | 'isFailure' | 'toRefusal' | 'probe'> & {
    logger: Logger;
    metrics: Metrics;
  },
): Breaker {
  const { logger, metrics, ...own } = deps;
  let isOpen = false;
  return createBreaker({
    ...own,
    onState(state) {
      metrics.setBreakerState(dependency, state);
      if (state === 'open' && !isOpen) logger.warn({ dependency }, 'it fails again and again: not asked for a while');
      if (state === 'closed' && isOpen) logger.info({ dependency }, 'it answers again');
      if (state !== 'half_open') isOpen = state === 'open';
    },
    onRefused: () => metrics.countBreakerRefusal(dependency),
  });
}
