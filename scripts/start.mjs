// `npm start`: the built API and worker on the Redis that REDIS_URL names, until one of them ends or we are told to.
// Settings come from the environment and from .env, which both read themselves. Nothing is installed or built.
import { onStopSignals, startChild } from './lib/children.mjs';
import { builtMain } from './lib/services.mjs';
import { rootDir } from './setup.mjs';

function startApp(app) {
  const env = { NODE_ENV: 'production', ...process.env };
  return startChild({ name: app, command: process.execPath, args: [builtMain(rootDir, app)], env, cwd: rootDir });
}

async function main() {
  let children;
  try {
    children = [startApp('api'), startApp('worker')];
  } catch (error) {
    console.error(error.message);
    return 1;
  }
  let asked = false;
  // The worker may be in the middle of a job, which it finishes or hands back: it has its own, shorter deadline.
  const stopAll = () => Promise.all(children.map((child) => child.stop({ deadlineMs: 30_000 })));
  onStopSignals(
    () => {
      asked = true;
      stopAll();
    },
    () => {
      for (const child of children) child.kill();
    },
  );
  const first = await Promise.race(children.map(async (child) => ({ name: child.name, how: await child.exited })));
  if (!asked) console.error(`${first.name} ended (${first.how}); stopping the other`);
  await stopAll();
  return asked ? 0 : 1;
}

process.exitCode = await main();
