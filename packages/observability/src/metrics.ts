import { type ModelFamily, type ModelState, modelStates } from '@studymate/contracts/models';
import { type StageName, stageNames } from '@studymate/contracts/stages';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds, 0.05 to 30 minutes: starts, loads and stages. prom-client's own buckets stop at 10 s. */
export const workBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800];
/** Seconds: a warm route answers within milliseconds, an upload may take half an hour. */
export const httpBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, ...workBuckets];

/** No label may take more values than this: a new one beyond it is counted as "other". */
const maxLabelValues = 100;

/** What a circuit breaker does: lets everything through, one call as a probe, or nothing. */
export const breakerStates = ['closed', 'half_open', 'open'] as const;
export type BreakerState = (typeof breakerStates)[number];

/** Why a stage gave up: the recording is not one that can be worked on, or something here did not do its work. */
export const failureFaults = ['recording', 'service'] as const;
export type FailureFault = (typeof failureFaults)[number];

export interface Metrics {
  readonly registry: Registry;
  /** `app_startup_seconds{phase}`: from the start of the process to the end of the phase. */
  observeStartup(phase: string, seconds: number): void;
  /** `http_request_duration_seconds{method,route,status}`. `route` is the pattern, never the path that was asked. */
  observeHttp(request: { method: string; route: string; status: number; seconds: number }): void;
  /** `first_request_seconds{route,cold}`: call it for every request; only the first of each route and `cold` counts. */
  observeFirstRequest(request: { route: string; cold: boolean; seconds: number }): void;
  /** `requests_total{kind}` and `requests_cold_total{kind}`: pieces of work that used a model, and those that loaded it. */
  countRequest(kind: string, cold: boolean): void;
  /** `model_load_seconds{family}` */
  observeModelLoad(family: ModelFamily, seconds: number): void;
  /** `model_state{family,state}`: 1 for the state that it is in, 0 for the others. */
  setModelState(family: ModelFamily, state: ModelState): void;
  /** `stage_duration_seconds{stage,cold}` */
  observeStage(stage: StageName, cold: boolean | null, seconds: number): void;
  /** `jobs_reused_total{stage}`: jobs whose result was taken over from another lecture with the same recording. */
  countReused(stage: StageName): void;
  /** `stage_failures_total{stage,fault}`: stages that gave up, after all their tries. */
  countStageFailure(stage: StageName, fault: FailureFault): void;
  /** `runs_superseded_total{stage}`: runs that were refused a write because a later one had taken their place. */
  countSuperseded(stage: StageName): void;
  /** `cache_requests_total{kind,result}`: answers that may be kept, by where they came from. */
  countCache(kind: string, result: string): void;
  /** `dependency_up{dependency}`: 1 while what is outside the process can be used, else 0. */
  setDependencyUp(dependency: string, isUp: boolean): void;
  /** `circuit_breaker_state{dependency,state}`: 1 for the state that it is in, 0 for the others. */
  setBreakerState(dependency: string, state: BreakerState): void;
  /** `circuit_breaker_refusals_total{dependency}`: calls that an open breaker did not let through. */
  countBreakerRefusal(dependency: string): void;
  /** `queue_wait_seconds{queue}`: from being queued to being taken. */
  observeQueueWait(queue: string, seconds: number): void;
  /** `queue_depth{queue,state}` */
  setQueueDepth(queue: string, state: string, jobs: number): void;
  /** `queue_oldest_waiting_seconds{queue}`: 0 when none waits. */
  setOldestWaiting(queue: string, seconds: number): void;
  /** `jobs_stalled_total{queue}`: jobs whose worker was lost, and that another took up. */
  countStalled(queue: string): void;
  /** `store_bytes{space}`, free and size: of the disk that DATA_DIR lies on. */
  setStoreSpace(space: { freeBytes: number; sizeBytes: number }): void;
  /** Everything in the text form that Prometheus reads. */
  text(): Promise<string>;
  /** Calls back before every scrape, for gauges that are found by asking. Its failure leaves the old values. */
  onScrape(collect: () => Promise<void>): void;
  close(): void;
}

/** All metrics of one process, in a registry of their own. @param app becomes the label `app` of every metric */
export function createMetrics({ app }: { app: string }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ app });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const histogram = <L extends string>(name: string, help: string, labelNames: L[], buckets = workBuckets) =>
    new Histogram({ name, help, labelNames, buckets, registers });

  const startup = histogram('app_startup_seconds', 'From the start of the process to the end of the phase.', ['phase']);
  const http = histogram(
    'http_request_duration_seconds',
    'From the first byte of a request to the end of its answer.',
    ['method', 'route', 'status'],
    httpBuckets,
  );
  const firstRequest = histogram('first_request_seconds', 'The first request of each route.', ['route', 'cold']);
  const modelLoad = histogram('model_load_seconds', 'Loading a model until it can be used.', ['family']);
  const stage = histogram('stage_duration_seconds', 'A stage of a lecture.', ['stage', 'cold']);
  const reused = new Counter({
    name: 'jobs_reused_total',
    help: 'Jobs whose result was taken over from another lecture with the same recording.',
    labelNames: ['stage'],
    registers,
  });
  const stageFailures = new Counter({
    name: 'stage_failures_total',
    help: 'Stages that gave up after all their tries, by whose fault it is.',
    labelNames: ['stage', 'fault'],
    registers,
  });
  for (const each of stageNames) {
    // From the start: a series that begins with 1 would be no increase.
    for (const fault of failureFaults) stageFailures.inc({ stage: each, fault }, 0);
  }
  const superseded = new Counter({
    name: 'runs_superseded_total',
    help: 'Runs of a stage that were refused a write: a later run had taken their place, or the lecture had ended.',
    labelNames: ['stage'],
    registers,
  });
  const queueWait = histogram('queue_wait_seconds', 'From being queued to being taken.', ['queue']);
  const queueDepth = new Gauge({
    name: 'queue_depth',
    help: 'Jobs in a queue by state.',
    labelNames: ['queue', 'state'],
    registers,
  });
  const oldestWaiting = new Gauge({
    name: 'queue_oldest_waiting_seconds',
    help: 'How long the oldest job that nobody has taken has waited.',
    labelNames: ['queue'],
    registers,
  });
  const stalled = new Counter({
    name: 'jobs_stalled_total',
    help: 'Jobs whose worker was lost.',
    labelNames: ['queue'],
    registers,
  });
  // Without labels they would be there with 0 from the start, which would be an alarm.
  const storeSpace = new Gauge({
    name: 'store_bytes',
    help: 'Room on the disk that DATA_DIR lies on: free for us, and in all.',
    labelNames: ['space'],
    registers,
  });
  const modelState = new Gauge({
    name: 'model_state',
    help: '1 for the state that the model family is in.',
    labelNames: ['family', 'state'],
    registers,
  });
  const cacheRequests = new Counter({
    name: 'cache_requests_total',
    help: 'Requests whose answer may be kept, by where it came from.',
    labelNames: ['kind', 'result'],
    registers,
  });
  const dependencyUp = new Gauge({
    name: 'dependency_up',
    help: '1 while it can be used: the queue (Redis) takes writes, the store is written and read.',
    labelNames: ['dependency'],
    registers,
  });
  const breakerState = new Gauge({
    name: 'circuit_breaker_state',
    help: '1 for the state that the circuit breaker is in.',
    labelNames: ['dependency', 'state'],
    registers,
  });
  const breakerRefusals = new Counter({
    name: 'circuit_breaker_refusals_total',
    help: 'Calls that an open circuit breaker did not let through.',
    labelNames: ['dependency'],
    registers,
  });
  const requests = new Counter({
    name: 'requests_total',
    help: 'Pieces of work that used a model.',
    labelNames: ['kind'],
    registers,
  });
  const coldRequests = new Counter({
    name: 'requests_cold_total',
    help: 'Pieces of work that had to wait for a model to be loaded.',
    labelNames: ['kind'],
    registers,
  });

  const route = createLabelLimit(maxLabelValues);
  const kind = createLabelLimit(maxLabelValues);
  const queue = createLabelLimit(maxLabelValues);
  const seenFirst = new Set<string>();
  const collectors: (() => Promise<void>)[] = [];

  return {
    registry,
    observeStartup: (phase, seconds) => startup.observe({ phase }, seconds),
    observeHttp: (r) =>
      http.observe({ method: toMethodLabel(r.method), route: route(r.route), status: r.status }, r.seconds),
    observeFirstRequest(r) {
      const labels = { route: route(r.route), cold: String(r.cold) };
      const key = `${labels.route} ${labels.cold}`;
      if (seenFirst.has(key)) return;
      seenFirst.add(key);
      firstRequest.observe(labels, r.seconds);
    },
    countRequest(name, cold) {
      const labels = { kind: kind(name) };
      requests.inc(labels);
      // Also without a cold one the series must exist, or the share could not be computed.
      coldRequests.inc(labels, cold ? 1 : 0);
    },
    observeModelLoad: (family, seconds) => modelLoad.observe({ family }, seconds),
    setModelState(family, state) {
      for (const each of modelStates) modelState.set({ family, state: each }, each === state ? 1 : 0);
    },
    observeStage: (name, cold, seconds) => stage.observe({ stage: name, cold: String(cold ?? false) }, seconds),
    countReused: (name) => reused.inc({ stage: name }),
    countStageFailure: (name, fault) => stageFailures.inc({ stage: name, fault }),
    countSuperseded: (name) => superseded.inc({ stage: name }),
    countCache: (name, result) => cacheRequests.inc({ kind: kind(name), result }),
    setDependencyUp: (dependency, isUp) => dependencyUp.set({ dependency }, isUp ? 1 : 0),
    setBreakerState(dependency, state) {
      for (const each of breakerStates) breakerState.set({ dependency, state: each }, each === state ? 1 : 0);
      breakerRefusals.inc({ dependency }, 0);
    },
    countBreakerRefusal: (dependency) => breakerRefusals.inc({ dependency }),
    observeQueueWait: (name, seconds) => queueWait.observe({ queue: queue(name) }, seconds),
    setQueueDepth: (name, state, jobs) => queueDepth.set({ queue: queue(name), state }, jobs),
    setOldestWaiting: (name, seconds) => oldestWaiting.set({ queue: queue(name) }, seconds),
    countStalled: (name) => stalled.inc({ queue: queue(name) }),
    setStoreSpace({ freeBytes, sizeBytes }) {
      storeSpace.set({ space: 'free' }, freeBytes);
      storeSpace.set({ space: 'size' }, sizeBytes);
    },
    async text() {
      await Promise.allSettled(collectors.map((collect) => collect()));
      return registry.metrics();
    },
    onScrape(collect) {
      collectors.push(collect);
    },
    close: () => registry.clear(),
  };
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function toMethodLabel(method: string): string {
  return knownMethods.has(method) ? method : 'other';
}

/** Lets the first `limit` values of a label through and calls every later one "other". */
function createLabelLimit(limit: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= limit) return 'other';
    seen.add(value);
    return value;
  };
}
