import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';

const setpriv = '/usr/bin/setpriv';
/**
 * Settings of glibc's allocator (mallopt(3)), which reads them at the start of a program: what is freed goes back to the
 * system at once, and not only what lies at the end of an arena. Measured, peak of the speech process in a lecture:
 * 330 to 420 instead of 630 MB, at the same speed.
 */
const allocator = ['MALLOC_ARENA_MAX=2', 'MALLOC_MMAP_THRESHOLD_=1048576', 'MALLOC_TRIM_THRESHOLD_=1048576'];

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
      ? {
          execPath: setpriv,
          execArgv: ['--pdeathsig', 'KILL', '--', '/usr/bin/env', ...allocator, process.execPath, ...nodeArguments],
        }
      : { execArgv: nodeArguments }),
  });
}
