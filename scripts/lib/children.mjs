import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * Starts a program that we answer for until `stop()`.
 *
 * It leads a process group of its own: Ctrl-C in a terminal reaches us alone, so we decide the order in which things
 * end, and at the last resort the whole group can be ended. In case we are killed hard, Node programs have a channel
 * to us and leave when it closes (STUDYMATE_EXIT_WITH_PARENT); others are started through setpriv, where there is
 * one, which has the kernel end them.
 *
 * @param {object} params
 * @param {string} params.name for messages
 * @param {string} params.command
 * @param {string[]} params.args
 * @param {NodeJS.ProcessEnv} [params.env]
 * @param {string} [params.cwd]
 * @param {number | 'inherit'} [params.output] a file descriptor for what it prints
 */
export function startChild({ name, command, args, env = process.env, cwd, output = 'inherit' }) {
  const isNode = command === process.execPath;
  const setpriv = !isNode && process.platform === 'linux' && existsSync('/usr/bin/setpriv');
  const startedMs = performance.now();
  const child = spawn(
    setpriv ? '/usr/bin/setpriv' : command,
    setpriv ? ['--pdeathsig', 'TERM', '--', command, ...args] : args,
    {
      cwd,
      env: isNode ? { ...env, STUDYMATE_EXIT_WITH_PARENT: '1' } : env,
      stdio: ['ignore', output, output, ...(isNode ? ['ipc'] : [])],
      detached: true,
    },
  );
  let ended = null;
  const exited = new Promise((resolve) => {
    const end = (how) => {
      ended ??= how;
      resolve(ended);
    };
    child.once('error', (error) => end(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => end(signal === null ? `exit status ${code}` : `signal ${signal}`));
  });
  let stopping = null;

  return {
    name,
    pid: child.pid,
    startedMs,
    /** How it ended, or null while it runs. */
    ended: () => ended,
    /** Resolves with how it ended; never rejects. */
    exited,
    /** Whether `stop()` was called: an end after that is no surprise. */
    isStopping: () => stopping !== null,
    signal: (signal) => ended === null && child.kill(signal),
    /** Asks it to end, and ends its whole group when it has not within the deadline. */
    stop({ deadlineMs = 10_000 } = {}) {
      stopping ??= stopWithin(deadlineMs);
      return stopping;
    },
    /** Ends it and whatever it started, now. */
    kill: () => killGroup(),
  };

  async function stopWithin(deadlineMs) {
    if (ended === null) {
      child.kill('SIGTERM');
      const timer = setTimeout(killGroup, deadlineMs);
      await exited;
      clearTimeout(timer);
    }
    // What it may have left behind, such as a model process, when it crashed.
    killGroup();
  }

  function killGroup() {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The group is empty, which is what we want.
    }
  }
}

/**
 * Calls the handler at the first SIGINT, SIGTERM or SIGHUP, and `onSecond` at the next one.
 *
 * @param {(signal: NodeJS.Signals) => void} onFirst
 * @param {(signal: NodeJS.Signals) => void} onSecond
 */
export function onStopSignals(onFirst, onSecond) {
  let firstMs = null;
  const handle = (signal) => {
    if (firstMs === null) {
      firstMs = performance.now();
      onFirst(signal);
    } else if (performance.now() - firstMs > 500) {
      // npm passes on the signal that the terminal has sent us already: that echo is not a second wish.
      onSecond(signal);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, handle);
}
