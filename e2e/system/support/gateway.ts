import { chown, cp, mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { waitUntilOk } from '../../../scripts/lib/api-client.mjs';
import { startChild } from '../../../scripts/lib/children.mjs';
import { freePorts } from '../../../scripts/lib/ports.mjs';
import { rootDir } from '../../support/running-system.ts';
import { request } from './http.ts';

/** nginx is to run without rights; as root the tests hand it to the user `nobody`. */
const nobody = 65_534;

export interface Gateway {
  baseUrl: string;
  /** The access log so far, one object a request. */
  readLog(): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/**
 * The real nginx with the project's own configuration, on a free port, in front of the given addresses (host:port).
 * @param options.env settings of start.sh besides
 * @param options.tls paths of files; the gateway speaks TLS then, and no copy is waited for
 * @param options.healthy whether to wait until a copy answers through it (default true); otherwise until it listens
 */
export async function startGateway(
  servers: string[],
  options: {
    healthy?: boolean;
    env?: Record<string, string>;
    tls?: { key: string; certificate: string };
  } = {},
): Promise<Gateway> {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-nginx-'));
  const [port] = (await freePorts(1)) as [number];
  const asRoot = process.getuid?.() === 0;
  const runDir = path.join(dir, 'run');
  const logPath = path.join(dir, 'nginx.log');
  // A copy, because the user nobody may not be able to read the checkout.
  await cp(path.join(rootDir, 'nginx'), path.join(dir, 'nginx'), { recursive: true });
  await mkdir(runDir);
  const tls = options.tls && { key: path.join(dir, 'key'), certificate: path.join(dir, 'certificate') };
  if (tls && options.tls) {
    await cp(options.tls.key, tls.key);
    await cp(options.tls.certificate, tls.certificate);
  }
  const log = await open(logPath, 'w');
  if (asRoot)
    for (const owned of [dir, runDir, logPath, ...Object.values(tls ?? {})]) await chown(owned, nobody, nobody);
  const start = path.join(dir, 'nginx/start.sh');
  const dropRights = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups'];
  const child = startChild({
    name: 'nginx',
    command: asRoot ? 'setpriv' : start,
    args: asRoot ? [...dropRights, '--pdeathsig', 'TERM', '--', start] : [],
    env: {
      PATH: process.env.PATH,
      API_SERVERS: servers.join(' '),
      LISTEN: `127.0.0.1:${port}`,
      RUN_DIR: runDir,
      ...options.env,
      ...(tls && { TLS_KEY: tls.key, TLS_CERTIFICATE: tls.certificate }),
    },
    output: log.fd,
  });
  await log.close();
  const plainUrl = `http://127.0.0.1:${port}`;
  const baseUrl = tls ? plainUrl.replace('http:', 'https:') : plainUrl;
  const close = async () => {
    await child.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    if (!tls && (options.healthy ?? true)) {
      await waitUntilOk({ url: `${baseUrl}/health/fast`, child, timeoutMs: 120_000 });
    } else {
      await untilListening(plainUrl, child);
    }
  } catch (error) {
    const said = await readFile(logPath, 'utf8');
    await close();
    throw new Error(`nginx does not answer: ${error instanceof Error ? error.message : error}\n${said}`);
  }
  return {
    baseUrl,
    async readLog() {
      const lines = (await readFile(logPath, 'utf8')).split('\n');
      return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    },
    close,
  };
}

/** Any answer will do, also that no copy can be reached: one without a proxied request is not to be had. */
async function untilListening(baseUrl: string, child: ReturnType<typeof startChild>): Promise<void> {
  const deadlineMs = performance.now() + 120_000;
  for (;;) {
    if (child.ended() !== null) throw new Error(`it ended: ${child.ended()}`);
    // Malformed on purpose: answered by nginx itself, so that no copy is asked and found dead.
    const answered = await request(`${baseUrl}/`, { method: 'GET', headers: { host: 'a b' } }).then(
      () => true,
      () => false,
    );
    if (answered) return;
    if (performance.now() > deadlineMs) throw new Error('it does not listen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
