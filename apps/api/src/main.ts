import { fileURLToPath } from 'node:url';
import { ConfigError, parseConfig } from '@studymate/config/config';
import type { InternalServer } from '@studymate/observability/internal-server';
import { explainListening, ListenError } from '@studymate/observability/listen-error';
import { createShutdown, stopOnSignals } from '@studymate/observability/shutdown';
import { createStartupClock } from '@studymate/observability/startup-clock';
import type { Tracer } from '@studymate/observability/tracer';
import { explainStoreFault } from '@studymate/storage/store-fault';
import dotenv from 'dotenv';
import type { Api } from './create-api.ts';
import { createFront } from './front.ts';

/**
 * Evaluating the rest keeps the thread for some 40 ms. Who waits for the port to open is answered before that: probes
 * that come within a breath of its opening see it 40 ms earlier.
 */
const breathMs = 4;

/**
 * The API's only file with side effects. It listens as soon as the configuration is read; express, BullMQ and the
 * rest are loaded while /health/fast already answers.
 */
async function main(): Promise<void> {
  const clock = createStartupClock();
  dotenv.config({ quiet: true });
  const config = parseConfig(process.env, process.cwd());
  clock.mark('config');
  let logger: import('@studymate/observability/logger').Logger | undefined;
  const shutdown = createShutdown({ timeoutMs: config.shutdownTimeoutMs, logger: () => logger });
  stopOnSignals({ shutdown, exitWithParent: process.env.STUDYMATE_EXIT_WITH_PARENT === '1' });

  const { maxUploadBytes } = config.limits;
  const { host, port, internalHost, internalPort } = config.api;
  const front = await explainListening(createFront({ host, port, maxBodyBytes: maxUploadBytes + 1024 * 1024 }), {
    setting: 'PORT',
    host,
    port,
  });
  clock.mark('listening');
  // Last in, first out: streams end, open requests are finished, and then goes what they used.
  let api: Api | undefined;
  let internal: InternalServer | undefined;
  let tracer: Tracer | undefined;
  shutdown.push('traces', () => tracer?.close());
  shutdown.push('queues and store', () => api?.close());
  shutdown.push('internal listener', () => internal?.close());
  shutdown.push('public listener', () => {
    api?.endStreams();
    // Half of the time for requests in progress, the other half for the rest.
    return front.close(config.shutdownTimeoutMs / 2);
  });
  await new Promise((resolve) => setTimeout(resolve, breathMs));

  const [{ createLogger }, { createMetrics }, { createTracer }, { createInternalServer }, { createApi }] =
    await Promise.all([
      import('@studymate/observability/logger'),
      import('@studymate/observability/metrics'),
      import('@studymate/observability/tracer'),
      import('@studymate/observability/internal-server'),
      import('./create-api.ts'),
    ]);
  clock.mark('loaded');
  const log = createLogger({ name: 'api', level: config.logLevel });
  logger = log;
  const metrics = createMetrics({ app: 'api' });
  clock.observe(({ phase, seconds }) => metrics.observeStartup(phase, seconds));
  tracer = await createTracer({
    collector: config.tracing,
    service: 'api',
    onTrouble: (reason) => log.warn({ reason }, 'traces cannot be sent'),
    onBack: () => log.info('traces are sent again'),
  });
  const webDir = fileURLToPath(new URL('../../web/dist', import.meta.url));
  api = await createApi({ config, logger: log, metrics, tracer, webDir });
  internal = await explainListening(
    createInternalServer({
      host: internalHost,
      port: internalPort,
      metrics,
      readiness: api.readiness,
      handler: api.internalHandler,
    }),
    { setting: 'INTERNAL_PORT', host: internalHost, port: internalPort },
  );
  front.open(api.handler);
  clock.mark('ready');
  if (shutdown.isStopping) return;
  log.info({ port: front.port, internalPort: internal.port, startup: clock.phases() }, 'API is ready');
}

main().catch((error: unknown) => {
  const isPlain = error instanceof ConfigError || error instanceof ListenError;
  const text = isPlain ? error.message : (explainStoreFault(error) ?? (error instanceof Error ? error.stack : error));
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
