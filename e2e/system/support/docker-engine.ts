import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, readFile, rmdir, statfs, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { startChild } from '../../../scripts/lib/children.mjs';
import { findProgram } from '../../../scripts/lib/system-programs.mjs';
import { rootDir } from '../../support/running-system.ts';
import { until } from '../../support/until.ts';
import { execute } from './execute.ts';

export interface DockerEngine {
  /** Docker's own program. @returns what it printed */
  docker(args: readonly string[]): Promise<string>;
  /** docker-compose in the project's root. */
  compose(args: readonly string[]): Promise<string>;
  /** An address of this machine behind which a port of the engine's loopback interface lies. */
  forward(port: number): Promise<string>;
  close(): Promise<void>;
}

const programs = [
  'dockerd',
  'containerd',
  'runc',
  'docker',
  'docker-compose',
  'mmdebstrap',
  'unshare',
  'nsenter',
  'ip',
];
/** The only places of the system that it writes to; it sees folders of its own there. */
const systemFolders = ['/run/containerd', '/run/docker', '/etc/docker'];
const minFreeBytes = 8 * 2 ** 30;

/** @returns what keeps a Docker engine from running here, or null */
export async function whyNoEngine(dir: string): Promise<string | null> {
  if (process.platform !== 'linux') return 'Docker’s engine needs Linux';
  if (process.getuid?.() !== 0) return 'Docker’s engine has to be started by root';
  for (const name of programs) if ((await findProgram(name)) === null) return `${name} is not installed`;
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize < minFreeBytes) return `less than ${minFreeBytes / 2 ** 30} GiB are free in ${dir}`;
  return null;
}

/**
 * A Docker engine of its own, in namespaces of its own: its processes, its mounts and (with `network: 'own'`) its
 * bridges and packet filters exist as long as it does, however it or we end. What it stores lies in `dir` and is there
 * for the next one.
 * @param network of the engine: the machine's, through which images are built, or one that reaches nothing else
 * @throws Error with what it said, when it cannot run here
 */
export async function startDockerEngine(dir: string, network: 'host' | 'own'): Promise<DockerEngine> {
  const cgroup = `studymate-${process.pid}`;
  const socket = `unix://${path.join(dir, 'docker.sock')}`;
  const configPath = path.join(dir, 'daemon.json');
  const config = {
    hosts: [socket],
    'data-root': path.join(dir, 'data'),
    // What is of one life of it must not be found by the next.
    'exec-root': path.join(dir, `${network}-exec`),
    pidfile: path.join(dir, `${network}.pid`),
    'cgroup-parent': `/${cgroup}`,
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    bridge: 'none',
    // The machine's own network is left as it is.
    ...(network === 'host' && { iptables: false, ip6tables: false, 'ip-forward': false }),
  };
  await writeFile(configPath, JSON.stringify(config));
  const logPath = path.join(dir, 'dockerd.log');
  const log = await open(logPath, 'a');
  const made = await makeFolders(systemFolders);
  const inside = `for each in ${systemFolders.join(' ')}; do mount -t tmpfs none $each; done; ip link set lo up; exec dockerd --config-file "$0"`;
  const child = startChild({
    name: 'dockerd',
    command: 'setpriv',
    args: [
      ...['--pdeathsig', 'KILL', '--', 'unshare', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'],
      ...(network === 'own' ? ['--net'] : []),
      ...['--', 'sh', '-ec', inside, configPath],
    ],
    output: log.fd,
  });
  await log.close();

  const closers: (() => Promise<unknown>)[] = [];
  const end = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
    const init = await findInit(child.pid);
    // The first process of its namespace takes all others with it, and its parent ends after it.
    if (init !== null) process.kill(init, 'SIGKILL');
    else child.kill();
    await child.exited;
    await removeCgroups(cgroup);
    for (const each of made) await rmdir(each).catch(() => {});
  };
  let ending: Promise<void> | null = null;
  const close = () => {
    ending ??= end();
    return ending;
  };
  const env = {
    // Debian's programs sooner than others of the same names.
    PATH: `/usr/sbin:/usr/bin:/sbin:/bin:${process.env.PATH}`,
    HOME: dir,
    DOCKER_CONFIG: dir,
    DOCKER_HOST: socket,
    DOCKER_BUILDKIT: '1',
    BUILDKIT_PROGRESS: 'plain',
  };
  const docker = (args: readonly string[]) => execute('docker', args, { env });
  try {
    await until(
      'an engine that answers',
      async () => {
        if (child.ended() !== null) throw new Error(`dockerd ended: ${child.ended()}`);
        return execute('docker', ['version'], { env, timeoutMs: 10_000 }).then(
          () => true,
          () => false,
        );
      },
      { timeoutMs: 120_000, everyMs: 200 },
    );
  } catch (error) {
    await close();
    throw new Error(
      `${error instanceof Error ? error.message : error}\n${(await readFile(logPath, 'utf8')).slice(-4_000)}`,
    );
  }
  return {
    docker,
    compose: (args) => execute('docker-compose', args, { env, cwd: rootDir }),
    async forward(port) {
      const init = await findInit(child.pid);
      if (init === null) throw new Error('the engine has ended');
      const { address, stop } = await startForwarder(init, port);
      closers.push(stop);
      return address;
    },
    close,
  };
}

/** The first process of the namespace that `unshare` has made: its only child. */
async function findInit(pid: number | undefined): Promise<number | null> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return Number(children.trim()) || null;
}

async function startForwarder(init: number, port: number) {
  const child = fork(path.join(rootDir, 'e2e/system/docker/forward.mjs'), {
    execPath: 'nsenter',
    execArgv: [`--net=/proc/${init}/ns/net`, '--', process.execPath],
    env: {},
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: ownPort } = server.address() as net.AddressInfo;
  child.send(port, server);
  server.close();
  await Promise.race([once(child, 'message'), once(child, 'exit').then(() => Promise.reject(new Error('it ended')))]);
  return { address: `127.0.0.1:${ownPort}`, stop };
}

/** @returns those that were not there */
async function makeFolders(dirs: string[]): Promise<string[]> {
  const made: string[] = [];
  for (const dir of dirs) {
    await mkdir(dir).then(
      () => made.push(dir),
      () => {},
    );
  }
  return made;
}

/** Control groups outlive what was in them; they are folders that can only be removed one by one. */
async function removeCgroups(name: string): Promise<void> {
  const root = '/sys/fs/cgroup';
  const hierarchies = await readdir(root).catch(() => []);
  const remove = async (dir: string): Promise<void> => {
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) if (entry.isDirectory()) await remove(path.join(dir, entry.name));
    await rmdir(dir).catch(() => {});
  };
  for (const each of ['', ...hierarchies]) await remove(path.join(root, each, name));
}
