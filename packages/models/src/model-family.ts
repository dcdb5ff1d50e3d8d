import type { ChildProcess } from 'node:child_process';
import { AppError, type ErrorCode, toAppError } from '@studymate/contracts/errors';
import type { ModelFamily as FamilyName, ModelReport, ModelState } from '@studymate/contracts/models';
import {
  createModelProcess,
  defaultHeartbeat,
  type Heartbeat,
  type ModelProcess,
  type RunOptions,
  type RunResult,
} from './model-process.ts';
import type { WorkTimes } from './protocol.ts';

/** A job's use of a model. While any lease is held the model stays loaded. */
export interface Lease {
  /** Whether the model had to be loaded for this lease. */
  readonly cold: boolean;
  /** Seconds this lease waited for the load; 0 when it was loaded. */
  readonly loadSeconds: number;
  /** The load inside the process that this lease waited for; null when it was loaded. */
  readonly load: WorkTimes | null;
  /**
   * @throws AppError `cancelled`, `timeout`, `model_crashed`, or what the runtime threw
   */
  run<T>(op: string, payload: unknown, options: RunOptions): Promise<RunResult<T>>;
  release(): void;
}

export interface ModelFamily {
  /**
   * Loads the model if need be (one load however many wait for it).
   * @param signal ends the wait, not the load, which others may wait for
   * @throws AppError `model_missing`, `model_damaged`, `model_unreachable`, `model_too_large`; `model_loading` when a load failed that may succeed later, also
   *   while the next one is backed off; `cancelled`
   */
  acquire(signal?: AbortSignal): Promise<Lease>;
  /** Loads the model without a use for it yet. Throws as `acquire` does. */
  load(): Promise<void>;
  report(): ModelReport;
  /** When a result last came from the process (ms since 1970), or null. */
  lastProgressAtMs(): number | null;
  close(): Promise<void>;
}

export interface ModelFamilyDeps {
  family: FamilyName;
  /** Has the weights here and checked before each load; throws what is wrong with them. */
  verify: () => Promise<void>;
  /** Starts the child with an IPC channel (serialization "advanced"). */
  spawn: () => ChildProcess;
  /** Idle milliseconds before the process is ended; null: never. */
  idleTtlMs: number | null;
  /** Never unloaded, and loaded again by itself after a crash or a failed load. The first load is the owner's. */
  keepWarm: boolean;
  loadTimeoutMs: number;
  heartbeat?: Heartbeat;
  /** Called whenever the state changes; with why, when a process ended or a load failed. */
  onChange: (report: ModelReport, reason?: AppError) => void;
}

/** After a failed load, or after a process that was kept warm had ended young: doubling, to 5 minutes. */
const backoffMs = { failedLoad: 10_000, youngCrash: 1_000, most: 300_000 };
/** Failures of a load whose message says what can be done about them. */
const saidAsTheyAre: ReadonlySet<ErrorCode> = new Set(['model_unreachable', 'model_too_large', 'storage_full']);
/** A process that has lived so long did not die of what killed the one before it. */
const youngMs = 60_000;

/** Supervises the process of one model family: unloaded → loading → ready → unloaded, or failed and backed off. */
export function createModelFamily(deps: ModelFamilyDeps): ModelFamily {
  const { family, heartbeat = defaultHeartbeat } = deps;
  const idleTtlMs = deps.keepWarm ? null : deps.idleTtlMs;
  let state: ModelState = 'unloaded';
  let sinceMs = Date.now();
  /** The process that is loaded, or that is being loaded. */
  let current: ModelProcess | null = null;
  let loading: Promise<ModelProcess> | null = null;
  let leases = 0;
  let idleTimer: NodeJS.Timeout | null = null;
  let warmTimer: NodeJS.Timeout | null = null;
  let lastLoadSeconds: number | null = null;
  let loadTimes: WorkTimes | null = null;
  let lastProgressAtMs: number | null = null;
  let failedLoads = 0;
  let youngCrashes = 0;
  let retryLoadAtMs = 0;
  let lastLoadError: AppError | null = null;
  let closed = false;

  const report = (): ModelReport => ({
    family,
    state,
    since: new Date(sinceMs).toISOString(),
    lastLoadSeconds,
    memoryBytes: state === 'ready' ? (current?.memoryBytes() ?? null) : null,
    openWork: current?.openWork() ?? 0,
    failureCode: state === 'failed' ? (lastLoadError?.code ?? null) : null,
  });
  const setState = (next: ModelState, reason?: AppError) => {
    state = next;
    sinceMs = Date.now();
    deps.onChange(report(), reason);
  };

  const loadAgainAfter = (delayMs: number) => {
    if (!deps.keepWarm || closed || warmTimer) return;
    warmTimer = setTimeout(() => {
      warmTimer = null;
      ensureLoaded().catch(() => {});
    }, delayMs);
    warmTimer.unref();
  };

  /** A loaded process has gone by itself, or was ended for not answering. */
  const lose = (process: ModelProcess, reason: AppError) => {
    if (current !== process || state !== 'ready') return;
    current = null;
    const isYoung = Date.now() - sinceMs < youngMs;
    youngCrashes = isYoung ? youngCrashes + 1 : 0;
    setState('unloaded', reason);
    loadAgainAfter(isYoung ? Math.min(backoffMs.youngCrash * 2 ** (youngCrashes - 1), backoffMs.most) : 0);
  };

  const start = async (): Promise<ModelProcess> => {
    setState('loading');
    const startMs = performance.now();
    await deps.verify();
    if (closed) throw stopping();
    const process = createModelProcess({
      name: family,
      child: deps.spawn(),
      loadTimeoutMs: deps.loadTimeoutMs,
      heartbeat,
      onProgress() {
        lastProgressAtMs = Date.now();
      },
      onEnd: (reason) => lose(process, reason),
    });
    current = process;
    loadTimes = await process.loaded;
    if (!process.isUsable())
      throw new AppError('model_crashed', `The ${family} model process ended once it was loaded.`);
    lastLoadSeconds = (performance.now() - startMs) / 1000;
    return process;
  };

  /** What is wrong with the weights is said as it is; anything else may be over at the next load. */
  const toCallersError = (error: AppError): AppError => {
    if (!error.retryable || closed) return error;
    const waitSeconds = Math.ceil((retryLoadAtMs - Date.now()) / 1000);
    const details = { retryAfterSeconds: Math.min(60, Math.max(1, waitSeconds)) };
    if (saidAsTheyAre.has(error.code)) return new AppError(error.code, error.message, { cause: error, details });
    return new AppError('model_loading', `The ${family} model could not be loaded; it is tried again soon.`, {
      cause: error,
      details,
    });
  };

  const ensureLoaded = (): Promise<ModelProcess> => {
    if (closed) return Promise.reject(stopping());
    if (loading) return loading;
    if (current) return Promise.resolve(current);
    if (lastLoadError && retryLoadAtMs > Date.now()) return Promise.reject(toCallersError(lastLoadError));
    loading = start().then(
      (process) => {
        loading = null;
        failedLoads = 0;
        lastLoadError = null;
        setState('ready');
        endWhenIdle();
        return process;
      },
      (error: unknown) => {
        loading = null;
        current = null;
        lastLoadError = toAppError(error);
        if (closed) throw lastLoadError;
        const delayMs = Math.min(backoffMs.failedLoad * 2 ** failedLoads, backoffMs.most);
        retryLoadAtMs = Date.now() + delayMs;
        failedLoads++;
        setState('failed', lastLoadError);
        loadAgainAfter(delayMs);
        throw toCallersError(lastLoadError);
      },
    );
    return loading;
  };

  const unload = () => {
    const process = current;
    current = null;
    process?.end(new AppError('model_crashed', `The ${family} model was unloaded.`));
    setState('unloaded');
  };

  /** Nothing happens while the model is used or not there: whoever releases it, or loads it, calls again. */
  const endWhenIdle = () => {
    if (idleTimer) clearTimeout(idleTimer);
    idleTimer = null;
    if (idleTtlMs === null || closed || leases > 0 || state !== 'ready') return;
    idleTimer = setTimeout(unload, idleTtlMs);
    idleTimer.unref();
  };

  return {
    async acquire(signal) {
      if (closed) throw stopping();
      leases++;
      endWhenIdle();
      const cold = state !== 'ready';
      const startMs = performance.now();
      let released = false;
      const release = () => {
        if (released) return;
        released = true;
        leases--;
        endWhenIdle();
      };
      try {
        await withSignal(ensureLoaded(), signal);
      } catch (error) {
        release();
        throw error;
      }
      return {
        cold,
        load: cold ? loadTimes : null,
        loadSeconds: cold ? (performance.now() - startMs) / 1000 : 0,
        // A process that crashed since is replaced: the lease outlives it.
        async run<T>(op: string, payload: unknown, options: RunOptions) {
          const process = state === 'ready' && current ? current : await withSignal(ensureLoaded(), options.signal);
          return process.run<T>(op, payload, options);
        },
        release,
      };
    },
    async load() {
      await ensureLoaded();
    },
    report,
    lastProgressAtMs: () => lastProgressAtMs,
    async close() {
      closed = true;
      for (const timer of [idleTimer, warmTimer]) if (timer) clearTimeout(timer);
      const process = current;
      current = null;
      process?.end(stopping());
      await loading?.catch(() => {});
      await process?.exited;
    },
  };
}

function stopping(): AppError {
  return new AppError('model_crashed', 'The worker is stopping.');
}

/** The promise's result, or `cancelled` as soon as the signal fires. */
function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new AppError('cancelled', 'The work was cancelled.'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
