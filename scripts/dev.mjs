// `npm run dev`: API, worker and page from source, built and (but for the page) started again whenever a file changes.
// Its own Redis (data in .cache/dev) unless REDIS_URL is set. Their log goes to the terminal.
import path from 'node:path';
import { onStopSignals, startChild } from './lib/children.mjs';
import { builtMain } from './lib/services.mjs';
import { startRedis } from './redis.mjs';
import { apps, rootDir, setUp } from './setup.mjs';

const say = (line) => console.error(line);

/** Runs an app, and runs it anew at every `restart()`. Restarts follow each other; those that come meanwhile count once. */
function createRunner({ app, env }) {
  let child = null;
  let closed = false;
  let waiting = false;
  let turn = Promise.resolve();

  function restart() {
    if (waiting || closed) return;
    waiting = true;
    turn = turn.then(async () => {
      waiting = false;
      await child?.stop({ deadlineMs: 5_000 });
      if (closed) return;
      say(`${child === null ? 'starting' : 'restarting'} ${app}`);
      const started = startChild({
        name: app,
        command: process.execPath,
        args: ['--enable-source-maps', builtMain(rootDir, app)],
        env,
        cwd: rootDir,
      });
      child = started;
      started.exited.then((how) => {
        if (!started.isStopping()) say(`${app} ended (${how}); it starts again at the next change`);
      });
    });
  }

  return {
    restart,
    async close() {
      closed = true;
      await turn;
      await child?.stop({ deadlineMs: 5_000 });
    },
    kill: () => child?.kill(),
  };
}

async function main() {
  await setUp({ log: say, build: false });
  const { watchApp } = await import('./bundle.mjs');
  const { watchPage } = await import('../apps/web/build.mjs');
  const closers = [];
  const runners = [];
  const stopped = new Promise((resolve) => {
    onStopSignals(resolve, () => {
      for (const runner of runners) runner.kill();
      process.exit(1);
    });
  });
  try {
    let redisUrl = process.env.REDIS_URL;
    if (!redisUrl) {
      const redis = await startRedis({ dataDir: path.join(rootDir, '.cache/dev/redis') });
      closers.push(redis.close);
      redisUrl = redis.url;
      say(`redis: ${redisUrl}`);
    }
    const env = { ...process.env, REDIS_URL: redisUrl };
    // Before the API, which looks for the page when it starts.
    const page = await watchPage({ onBuilt: () => say('page built') });
    closers.push(page.close);
    for (const app of apps) {
      const runner = createRunner({ app, env });
      runners.push(runner);
      closers.push(runner.close);
      const watching = await watchApp({ appDir: path.join(rootDir, 'apps', app), onBuilt: runner.restart });
      closers.push(watching.close);
    }
    await stopped;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
