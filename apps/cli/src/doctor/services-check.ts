import type { Config } from '@studymate/config/config';
import { type Finding, toAge } from './check.ts';

const timeoutMs = 3_000;

type Answer = { kind: 'none' } | { kind: 'other'; what: string } | { kind: 'ours'; body: Record<string, unknown> };

/** Who answers on the ports of the settings: API and worker of this machine, nobody, or another program. */
export async function checkServices(config: Config, now = Date.now()): Promise<Finding[]> {
  const { api, worker } = config;
  const [front, internal, workerReady] = await Promise.all([
    ask(api.host, api.port, '/health/ready'),
    ask(api.internalHost, api.internalPort, '/health/ready'),
    ask(worker.internalHost, worker.internalPort, '/health/ready'),
  ]);
  return [
    judgePort('api', 'PORT', api.port, front, 'npm run start:api'),
    judgePort('api', 'INTERNAL_PORT', api.internalPort, internal, 'npm run start:api'),
    judgeWorker(worker.internalPort, workerReady, now),
  ];
}

function judgePort(name: string, setting: string, port: number, answer: Answer, start: string): Finding {
  const place = `${setting} ${port}`;
  if (port === 0) return { name, state: 'ok', message: `${setting}=0 takes any free port; not looked at` };
  if (answer.kind === 'none') {
    return { name, state: 'warning', message: `nobody listens on ${place} of this machine`, fix: `start it: ${start}` };
  }
  if (answer.kind === 'other') {
    const fix = `stop that program, or set ${setting} to another port`;
    return { name, state: 'failure', message: `another program answers on ${place} (${answer.what})`, fix };
  }
  const { status, ...parts } = answer.body;
  if (status === 'ready') return { name, state: 'ok', message: `ready on ${place}` };
  return {
    name,
    state: 'failure',
    message: `not ready on ${place}: ${JSON.stringify(parts).slice(0, 200)}`,
    fix: 'see what it names, and its log',
  };
}

function judgeWorker(port: number, answer: Answer, now: number): Finding {
  const finding = judgePort('worker', 'WORKER_INTERNAL_PORT', port, answer, 'npm run start:worker');
  if (answer.kind !== 'ours' || finding.state !== 'ok') return finding;
  const { lastProgressAt } = answer.body;
  const atMs = typeof lastProgressAt === 'string' ? Date.parse(lastProgressAt) : Number.NaN;
  const progress = Number.isNaN(atMs) ? 'its models have not worked yet' : `last progress ${toAge(now - atMs)} ago`;
  return { ...finding, message: `${finding.message}, ${progress}` };
}

/** An address to listen on that stands for all of them is asked on loopback. */
function toUrl(host: string, port: number, path: string): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const plain = reachable.replace(/^\[(.*)\]$/, '$1');
  return `http://${plain.includes(':') ? `[${plain}]` : plain}:${port}${path}`;
}

async function ask(host: string, port: number, path: string): Promise<Answer> {
  if (port === 0) return { kind: 'none' };
  try {
    const response = await fetch(toUrl(host, port, path), {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'manual',
    });
    const text = (await response.text()).slice(0, 100_000);
    const body = parseObject(text);
    const isOurs = body !== null && (body.status === 'ready' || body.status === 'not_ready');
    return isOurs ? { kind: 'ours', body } : { kind: 'other', what: `HTTP ${response.status} without our health` };
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const isNobody = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'].includes(code);
    if (isNobody) return { kind: 'none' };
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    return { kind: 'other', what: isLate ? `no answer within ${timeoutMs / 1000} s` : `no HTTP${code && `, ${code}`}` };
  }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
