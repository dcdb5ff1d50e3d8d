// From a clone to a study set: sets up, starts Redis, API and worker, sends lectures over HTTP and shows what comes out.
//
//   npm run demo                                   the sample lecture; stays up until Ctrl-C
//   npm run demo -- --once [--json] [FILE…]        these files (the sample by default), then exits
//
// Only Node's own modules, because a fresh clone has no others.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { waitUntilOk } from './lib/api-client.mjs';
import { checkRedis } from './lib/check-redis.mjs';
import { onStopSignals } from './lib/children.mjs';
import { freePorts, isTaken } from './lib/ports.mjs';
import { createProgress } from './lib/progress.mjs';
import { startService } from './lib/services.mjs';
import { toText } from './lib/show-lecture.mjs';
import { studyLecture } from './lib/study-lecture.mjs';
import { claimFolder } from './lib/workspace-folder.mjs';
import { startRedis } from './redis.mjs';
import { rootDir, setUp, timed } from './setup.mjs';

const sample = 'samples/history-of-printing.mp3';

const usage = `npm run demo -- [--once] [--json] [FILE…]

  --once   process the files (the sample lecture by default) and exit; the status is 1 when one of them failed
  --json   like --once, and standard output is one JSON document (progress goes to standard error)

PORT, HOST, DATA_DIR, REDIS_URL, FFMPEG_PATH and FFPROBE_PATH are used when they are set.
With --json use \`npm run --silent demo -- --once --json\`: otherwise npm writes two lines of its own first.`;

function parseOptions(args) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { once: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    return {
      help: values.help === true,
      json: values.json === true,
      once: values.once === true || values.json === true,
      files: positionals,
    };
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

/** What has been started, stopped in reverse order. */
function createReleasers() {
  const releasers = [];
  let releasing = null;
  const children = [];
  return {
    children,
    add: (close, child) => {
      releasers.push(close);
      if (child !== undefined) children.push(child);
      // Started while we were already stopping: nobody else would stop it.
      if (releasing !== null) releasing = releasing.then(close);
    },
    releaseAll() {
      releasing ??= (async () => {
        for (const close of releasers.splice(0).reverse()) {
          await Promise.resolve()
            .then(close)
            .catch((error) => console.error(error.message));
        }
      })();
      return releasing;
    },
    killAll: () => {
      for (const child of children) child.kill();
    },
  };
}

/** Sets up and starts everything. @returns addresses, phases and start-up times */
async function startHouse({ log, releasers, signal }) {
  const startedMs = performance.now();
  // Before anything is installed or started: API and worker would wait for it in silence.
  if (process.env.REDIS_URL) await checkRedis(process.env.REDIS_URL);
  if (process.env.AUTH === 'keys') throw new Error('AUTH=keys: the demo has no key; leave AUTH out');
  const host = process.env.HOST || '127.0.0.1';
  const givenPort = process.env.PORT?.trim();
  if (/^\d{1,5}$/.test(givenPort) && givenPort < 65_536 && (await isTaken({ host, port: Number(givenPort) }))) {
    throw new Error(
      `PORT=${givenPort}: another program already listens there; stop it, or leave PORT out to have a free one taken`,
    );
  }
  const phases = await setUp({ log, signal });
  signal.throwIfAborted();

  const folder = claimFolder(path.join(rootDir, '.demo'));
  releasers.add(() => folder.release());
  let redisUrl = process.env.REDIS_URL;
  phases.redisSeconds = await timed(async () => {
    if (redisUrl) return;
    const redis = await startRedis({ dataDir: path.join(folder.dir, 'redis') });
    releasers.add(redis.close, redis.child);
    redisUrl = redis.url;
  });
  signal.throwIfAborted();

  const [freePort, apiInternalPort, workerInternalPort] = await freePorts(3);
  // As it was given: the API says what is wrong with it.
  const port = givenPort && givenPort !== '0' ? givenPort : String(freePort);
  const env = {
    NODE_ENV: 'production',
    ...process.env,
    // It sends its recordings without a key, whatever .env says.
    AUTH: 'off',
    HOST: host,
    PORT: port,
    INTERNAL_PORT: String(apiInternalPort),
    WORKER_INTERNAL_PORT: String(workerInternalPort),
    DATA_DIR: path.resolve(process.env.DATA_DIR || path.join(folder.dir, 'data')),
    REDIS_URL: redisUrl,
    // On a Redis that others use, too, our jobs must not reach a worker that has another data folder.
    QUEUE_PREFIX:
      process.env.QUEUE_PREFIX || `{sm-demo-${createHash('sha256').update(folder.dir).digest('hex').slice(0, 8)}}`,
  };
  const apiUrl = `http://${toAuthority(host, port)}`;
  const logPath = (app) => path.join(folder.dir, 'logs', `${app}.log`);
  const common = { rootDir, env, onStarted: releasers.add };

  // One after the other, so that the two do not share the processor while their start is measured.
  log('starting the API');
  const api = await startService({
    ...common,
    app: 'api',
    logPath: logPath('api'),
    healthUrl: `${apiUrl}/health/fast`,
    timeoutMs: 30_000,
  });
  signal.throwIfAborted();
  log('starting the worker');
  const worker = await startService({
    ...common,
    app: 'worker',
    logPath: logPath('worker'),
    healthUrl: `http://127.0.0.1:${workerInternalPort}/health/ready`,
    timeoutMs: 120_000,
  });
  await waitUntilOk({ url: `${apiUrl}/health/ready`, child: api.child, timeoutMs: 30_000 });
  signal.throwIfAborted();

  phases.apiSeconds = api.startSeconds;
  phases.workerSeconds = worker.startSeconds;
  phases.startSeconds = Math.round(performance.now() - startedMs) / 1000;
  return {
    apiUrl,
    internalUrl: `http://127.0.0.1:${apiInternalPort}`,
    redisUrl,
    logsDir: path.join(folder.dir, 'logs'),
    phases,
    startup: { apiSeconds: api.startSeconds, workerSeconds: worker.startSeconds },
  };
}

function toAuthority(host, port) {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return reachable.includes(':') ? `[${reachable}]:${port}` : `${reachable}:${port}`;
}

/** Rejects as soon as something that should stay up has ended. */
function failWhenOneEnds(children, logsDir) {
  return Promise.race(
    children.map(async (child) => {
      const how = await child.exited;
      if (child.isStopping()) return new Promise(() => {});
      throw new Error(`${child.name} ended (${how}); its log is in ${logsDir}`);
    }),
  );
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const progress = createProgress(process.stderr);
  const releasers = createReleasers();
  const stop = new AbortController();
  let signalStatus = null;
  onStopSignals(
    (signal) => {
      signalStatus = signal === 'SIGINT' ? 130 : 143;
      progress.end();
      console.error('stopping …');
      stop.abort();
    },
    () => {
      releasers.killAll();
      process.exit(signalStatus);
    },
  );
  const stopped = new Promise((resolve) => stop.signal.addEventListener('abort', () => resolve(undefined)));

  try {
    const house = await startHouse({ log: progress.log, releasers, signal: stop.signal });
    const failing = failWhenOneEnds(releasers.children, house.logsDir);
    const lectures = [];
    house.phases.lecturesSeconds = await timed(async () => {
      const files = options.files.length === 0 ? [sample] : options.files;
      for (const file of files) {
        if (stop.signal.aborted) break;
        progress.log(`\n${file}`);
        const studied = studyLecture({
          apiUrl: house.apiUrl,
          // npm runs us in the project's folder; files are named from where the user is.
          filePath: file === sample ? path.join(rootDir, sample) : path.resolve(process.env.INIT_CWD ?? '.', file),
          file,
          signal: stop.signal,
          onProgress: progress.show,
        });
        const entry = await Promise.race([studied, failing]);
        progress.end();
        if (stop.signal.aborted) break;
        lectures.push(entry);
        if (!options.json) console.log(toText(entry));
        else if (entry.error) progress.log(`  failed: ${entry.error.message} (${entry.error.code})`);
      }
    });
    if (stop.signal.aborted) return signalStatus;
    house.phases.totalSeconds = Math.round(performance.now()) / 1000;
    const { startup, phases } = house;
    if (options.json) {
      await write(`${JSON.stringify({ startup, phases, lectures }, null, 2)}\n`);
    } else {
      console.log(toClosing({ house, lectures, stays: !options.once }));
    }
    if (!options.once) await Promise.race([stopped, failing]);
    if (stop.signal.aborted) return signalStatus;
    return lectures.some((entry) => entry.error !== undefined) ? 1 : 0;
  } catch (error) {
    progress.end();
    if (stop.signal.aborted) return signalStatus;
    console.error(`\n${error.message}`);
    return 1;
  } finally {
    await releasers.releaseAll();
  }
}

function toClosing({ house, lectures, stays }) {
  const { phases } = house;
  const lines = [
    '',
    `The API answered ${Math.round(phases.apiSeconds * 1000)} ms after its start, the worker was ready after ${Math.round(phases.workerSeconds * 1000)} ms.`,
    `Set-up: programs ${phases.programsSeconds} s, packages ${phases.installSeconds} s, build ${phases.buildSeconds} s.`,
  ];
  if (stays) {
    const id = lectures.find((entry) => entry.lectureId !== null)?.lectureId;
    lines.push('', 'It stays up; Ctrl-C stops it.', `  page      ${house.apiUrl}/`, `  API       ${house.apiUrl}`);
    if (id) {
      lines.push(`  lecture   ${house.apiUrl}/api/v1/lectures/${id}`);
      lines.push(`  subtitles ${house.apiUrl}/api/v1/lectures/${id}/transcript?format=srt`);
    }
    lines.push(`  metrics   ${house.internalUrl}/metrics`, `  queues    ${house.internalUrl}/queues`);
    lines.push(`  logs      ${path.relative(process.cwd(), house.logsDir) || house.logsDir}`);
  }
  return lines.join('\n');
}

function write(text) {
  return new Promise((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve())));
}

process.exitCode = await main();
