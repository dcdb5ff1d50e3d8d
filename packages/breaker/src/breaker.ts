import { AppError, toAppError } from '@studymate/contracts/errors';
import type { BreakerState } from '@studymate/observability/metrics';
import type { CircuitBreakerPolicy } from 'cockatiel';

/** A piece of work that a breaker lets through, and whose end it wants to know. */
export interface BreakerCall {
  /** @param error why it failed; nothing when it did not */
  end(error?: unknown): void;
}

/**
 * Stops asking something that fails again and again. Closed: everything is let through. After so many failures in a row it
 * opens, and refuses at once; after its time one call is let through as a probe (half open), which closes it or opens it
 * again (M. Nygard, Release It!, 2007).
 */
export interface Breaker {
  /**
   * @param options.isProof false: that it succeeds says nothing, such as a read where a write may fail; its failures count
   * @throws AppError the refusal while it is open; what `work` throws
   */
  run<T>(work: () => Promise<T>, options?: { isProof?: boolean }): Promise<T>;
  /** For work that is no promise. @throws AppError the refusal while it is open */
  begin(): Promise<BreakerCall>;
  /** Whether it would refuse now: for work that would wait before it asks. */
  refuses(): boolean;
  close(): void;
}

export interface BreakerDeps {
  /** In a row. */
  failures: number;
  openMs: number;
  /** Whether an error says that what is asked cannot do its work; every other is an answer, but for `cancelled`. */
  isFailure(error: unknown): boolean;
  toRefusal(retryAfterSeconds: number): AppError;
  /** Where there is a harmless way to ask: it is done while the breaker is open, and closes it before its time. */
  probe?: () => Promise<unknown>;
  probeEveryMs?: number;
  onState(state: BreakerState): void;
  onRefused(): void;
}

/**
 * The end of work that shows nothing: no success and no failure. A probe has failed with it, because the library would take
 * it for a success.
 */
class Undecided<T> extends Error {
  readonly isProbe: boolean;
  readonly end: () => T;

  constructor(isProbe: boolean, end: () => T) {
    super('it shows nothing');
    this.isProbe = isProbe;
    this.end = end;
  }
}

/** The library is loaded by the first call: a start does not wait for it. */
export function createBreaker(deps: BreakerDeps): Breaker {
  const { probe, probeEveryMs = 1_000 } = deps;
  let policy: Promise<CircuitBreakerPolicy> | undefined;
  let openUntilMs = 0;
  let state: BreakerState = 'closed';
  let probing: NodeJS.Timeout | undefined;
  const tell = (next: BreakerState) => {
    state = next;
    deps.onState(next);
  };
  tell('closed');

  const stopProbing = () => {
    clearInterval(probing);
    probing = undefined;
  };
  const startProbing = () => {
    if (!probe || probing) return;
    let isAsking = false;
    const ask = () => {
      if (isAsking) return;
      isAsking = true;
      probe()
        .then(() => {
          if (!probing) return;
          stopProbing();
          // What still fails of the calls from before does not count any more.
          policy = undefined;
          tell('closed');
        })
        .catch(() => {})
        .finally(() => {
          isAsking = false;
        });
    };
    probing = setInterval(ask, probeEveryMs);
    probing.unref();
    // At once, too: five failures may have been about one thing among many.
    ask();
  };

  const isFailure = (error: unknown) => (error instanceof Undecided ? error.isProbe : deps.isFailure(error));
  const make = async (): Promise<CircuitBreakerPolicy> => {
    const { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } = await import('./library.ts');
    const made = circuitBreaker(handleWhen(isFailure), {
      halfOpenAfter: deps.openMs,
      breaker: new ConsecutiveBreaker(deps.failures),
    });
    const own = policy;
    made.onStateChange((next) => {
      if (policy !== own) return;
      if (next === CircuitState.Open) {
        openUntilMs = performance.now() + deps.openMs;
        startProbing();
        tell('open');
      } else if (next === CircuitState.HalfOpen) {
        tell('half_open');
      } else {
        stopProbing();
        tell('closed');
      }
    });
    return made;
  };
  const refuse = () => {
    deps.onRefused();
    const leftSeconds = Math.ceil((openUntilMs - performance.now()) / 1000);
    return deps.toRefusal(probe ? 2 * Math.ceil(probeEveryMs / 1000) : Math.max(1, leftSeconds));
  };

  const run = async <T>(work: () => Promise<T>, { isProof = true } = {}): Promise<T> => {
    policy ??= Promise.resolve().then(make);
    const current = await policy;
    const { CircuitState, isBrokenCircuitError } = await import('./library.ts');
    // The library would have it wait for the probe.
    if (current.state === CircuitState.HalfOpen) throw refuse();
    const isProbe = current.state === CircuitState.Open;
    const decide = async () => {
      const value = await work().catch((error: unknown) => {
        const isCancelled = error instanceof AppError && error.code === 'cancelled';
        if (!isCancelled) throw error;
        throw new Undecided(isProbe, () => {
          throw error;
        });
      });
      if (!isProof) throw new Undecided(isProbe, () => value);
      return value;
    };
    try {
      return await current.execute(decide);
    } catch (error) {
      if (error instanceof Undecided) return error.end();
      throw isBrokenCircuitError(error) ? refuse() : error;
    }
  };

  return {
    run,
    begin() {
      return new Promise((resolve, reject) => {
        run(
          () =>
            new Promise<void>((succeed, fail) => {
              resolve({ end: (error) => (error === undefined ? succeed() : fail(toAppError(error))) });
            }),
        ).catch(reject);
      });
    },
    refuses: () => state === 'half_open' || (state === 'open' && performance.now() < openUntilMs),
    close: stopProbing,
  };
}
