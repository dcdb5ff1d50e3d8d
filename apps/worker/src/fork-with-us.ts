import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';

const setpriv = '/usr/bin/setpriv';

/**
 * Starts a Node program as a child with an IPC channel on which typed arrays cross as they are.
 *
 * Such a child leaves when its channel closes, but one that hangs in native code or in a long loop cannot. Where there
 * is setpriv (util-linux), the kernel ends it together with the worker, even when the worker is killed.
 *
 * @param nodeArguments options of Node itself
 */
export function forkWithUs(program: string, args: string[], nodeArguments: string[]): ChildProcess {
  const ends = process.platform === 'linux' && existsSync(setpriv);
  return fork(program, args, {
    serialization: 'advanced',
    // Warnings of native libraries go to the worker's stderr.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...(ends
      ? { execPath: setpriv, execArgv: ['--pdeathsig', 'KILL', '--', process.execPath, ...nodeArguments] }
      : { execArgv: nodeArguments }),
  });
}
