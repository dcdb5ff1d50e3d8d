import { spawn } from 'node:child_process';

/** Programs and arguments that are put before ffmpeg; each does its part and becomes the next (same process id). */
export interface Isolation {
  prefix: string[];
  /** What could be had on this machine. */
  withoutNetwork: boolean;
  memoryLimited: boolean;
  /** The kernel ends ffmpeg when this process dies, even by kill -9. */
  endsWithParent: boolean;
}

/** ffmpeg and a decoder map about 500 MB, mostly libraries; the rest is room for unusual files. */
const maxAddressSpaceBytes = 2 * 1024 * 1024 * 1024;
const tryTimeoutMs = 5_000;

/**
 * Only what ffmpeg needs: the environment of this process may hold secrets, and ffmpeg reads hostile bytes.
 * Programs are therefore found in the standard folders, or by an absolute path.
 */
export const mediaEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin',
  LC_ALL: 'C',
  AV_LOG_FORCE_NOCOLOR: '1',
};

/**
 * Finds out which barriers work here: a network namespace of its own (as root, or as the current user where the
 * kernel allows it; containers often do not), the signal at the parent's death with no new privileges, and a limit
 * of the address space. About 10 ms. Call it once and hand the result to every probe and decode.
 */
export async function detectIsolation(): Promise<Isolation> {
  const networkAsRoot = ['unshare', '--net', '--'];
  const networkAsUser = ['unshare', '--map-current-user', '--net', '--'];
  const parent = ['setpriv', '--pdeathsig', 'KILL', '--no-new-privs', '--'];
  const memory = ['prlimit', `--as=${maxAddressSpaceBytes}`, '--core=0', '--'];
  const [asRoot, asUser, withParent, withMemory] = await Promise.all(
    [networkAsRoot, networkAsUser, parent, memory].map(works),
  );
  const network = asRoot ? networkAsRoot : asUser ? networkAsUser : [];
  // setpriv comes after unshare: a change of rights would clear the signal that it asks for.
  const prefix = [...network, ...(withParent ? parent : []), ...(withMemory ? memory : [])];
  const found = {
    prefix,
    withoutNetwork: network.length > 0,
    memoryLimited: withMemory === true,
    endsWithParent: withParent === true,
  };
  if (prefix.length === 0 || (await works(prefix))) return found;
  return { prefix: [], withoutNetwork: false, memoryLimited: false, endsWithParent: false };
}

function works(prefix: string[]): Promise<boolean> {
  const [program = '', ...args] = [...prefix, 'true'];
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', env: mediaEnvironment, cwd: '/' });
    const timer = setTimeout(() => child.kill('SIGKILL'), tryTimeoutMs);
    const end = (works: boolean) => {
      clearTimeout(timer);
      resolve(works);
    };
    child.once('error', () => end(false));
    child.once('close', (code) => end(code === 0));
  });
}
