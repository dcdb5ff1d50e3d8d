import { statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { ConfigError, parseConfig } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import { createInternalServer } from '@studymate/observability/internal-server';
import { explainListening, ListenError } from '@studymate/observability/listen-error';
import { createLogger } from '@studymate/observability/logger';
import { createMetrics } from '@studymate/observability/metrics';
import { createShutdown, stopOnSignals } from '@studymate/observability/shutdown';
import { createStartupClock } from '@studymate/observability/startup-clock';
import { createTracer } from '@studymate/observability/tracer';
import { openStore } from '@studymate/storage/open-store';
import { explainStoreFault } from '@studymate/storage/store-fault';
import dotenv from 'dotenv';
import { createWorker } from './create-worker.ts';
import { requireCuda } from './require-cuda.ts';

/** The worker's only file with side effects at import. */
async function main(): Promise<void> {
  // Sound passes through in buffers that die young. V8's young generation would grow to 32 MB, and sound pile up between
  // two collections of it; so it stays as small as it is now. (--max-semi-space-size is read before a program begins and
  // does nothing here; the factor of growth is read each time.)
  setFlagsFromString('--semi-space-growth-factor=1');
  dotenv.config({ quiet: true });
  const config = parseConfig(process.env, process.cwd());
  const logger = createLogger({ name: 'worker', level: config.logLevel });
  const metrics = createMetrics({ app: 'worker' });
  const clock = createStartupClock();
  clock.observe(({ phase, seconds }) => metrics.observeStartup(phase, seconds));
  clock.mark('config');
  const shutdown = createShutdown({ timeoutMs: config.shutdownTimeoutMs, logger: () => logger });
  stopOnSignals({ shutdown, exitWithParent: process.env.STUDYMATE_EXIT_WITH_PARENT === '1' });

  const tracer = await createTracer({
    collector: config.tracing,
    service: 'worker',
    onTrouble: (reason) => logger.warn({ reason }, 'traces cannot be sent'),
    onBack: () => logger.info('traces are sent again'),
  });
  shutdown.push('traces', () => tracer.close());

  const require = createRequire(import.meta.url);
  if (config.models.device === 'cuda') {
    await requireCuda({ runtimeDir: path.dirname(require.resolve('onnxruntime-node/package.json')) });
  }

  const { blobs, partials } = await openStore(config, {
    onFault: (error) => logger.warn({ reason: explainStoreFault(error) ?? error }, 'the store cannot be used'),
    onBack: () => logger.info('the store is back'),
  });
  shutdown.push('blob store', () => blobs.close());
  if (config.s3) {
    // Local copies need it; where the store is a folder, the API tells.
    metrics.onScrape(async () => {
      const { bavail, blocks, bsize } = await statfs(config.dataDir);
      metrics.setStoreSpace({ freeBytes: bavail * bsize, sizeBytes: blocks * bsize });
    });
  }
  metrics.onScrape(async () => {
    if (!worker) return;
    const { redis, store } = await worker.readiness();
    metrics.setDependencyUp('queue', redis === 'up');
    metrics.setDependencyUp('store', store === 'up');
  });
  let isReady = false;
  let worker: Awaited<ReturnType<typeof createWorker>> | null = null;
  const { internalHost: host, internalPort: port } = config.worker;
  const internal = await explainListening(
    createInternalServer({
      host,
      port,
      metrics,
      readiness: async () => {
        const state = worker ? await worker.readiness() : { ready: false };
        return { ...state, ready: state.ready && isReady };
      },
    }),
    { setting: 'WORKER_INTERNAL_PORT', host, port },
  );
  shutdown.push('internal listener', () => internal.close());

  worker = await createWorker({
    config,
    logger,
    metrics,
    tracer,
    blobs,
    partials,
    modelProcessPath: fileURLToPath(new URL('./model-process.js', import.meta.url)),
    studyProcessPath: fileURLToPath(new URL('./study-process.js', import.meta.url)),
    findBundledModel(name) {
      try {
        return path.dirname(require.resolve(`@studymate/model-${name.toLowerCase()}/package.json`));
      } catch {
        return null;
      }
    },
  });
  shutdown.push('queues and models', () => worker?.close());
  clock.mark('queues');
  if (config.models.preload) {
    if (!(await worker.preload())) return;
    clock.mark('models');
  }
  await worker.start();
  isReady = true;
  clock.mark('ready');
  logger.info({ internalPort: internal.port, startupSeconds: clock.mark('ready') }, 'worker is ready');
}

main().catch((error: unknown) => {
  const isModel = error instanceof AppError && error.code.startsWith('model_');
  const isPlain = error instanceof ConfigError || error instanceof ListenError || isModel;
  const text = isPlain ? error.message : (explainStoreFault(error) ?? (error instanceof Error ? error.stack : error));
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
