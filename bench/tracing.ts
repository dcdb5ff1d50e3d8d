import http from 'node:http';
import { readProcessorTicks } from '@studymate/models/processor-time';
import { startCollector } from '@studymate/observability/testing';
import { startSystem } from '../e2e/support/running-system.ts';
import { residentMegabytes } from './lib/process-tree.ts';
import { spread } from './lib/statistics.ts';

export const about = 'processor time of a request to the API and its memory, traced and not [rounds]';

const routes = ['/v1/models', '/api/v1/lectures'];
const requestsOfRound = 2_000;
const sideBySide = 8;

/** Milliseconds of processor time that a process has used, in steps of 10. */
const processorMs = (pid: number | undefined) => (readProcessorTicks(pid ?? 0) ?? 0) * 10;

/** Asks again and again, a few requests at a time. */
async function ask(url: string, count: number): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: sideBySide });
  let left = count;
  const loop = async () => {
    while (left-- > 0) {
      await new Promise<void>((resolve, reject) => {
        http.get(url, { agent }, (res) => res.resume().once('end', resolve)).once('error', reject);
      });
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, loop));
  agent.destroy();
}

export async function run([rounds = '7']: string[], note: (text: string) => void) {
  const collector = await startCollector();
  const off = await startSystem();
  const on = await startSystem({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const sides = { off, on };
  try {
    const used = routes.map((route) => ({ route, off: [] as number[], on: [] as number[] }));
    for (const { route } of used) for (const { baseUrl } of [off, on]) await ask(`${baseUrl}${route}`, requestsOfRound);
    for (let i = 1; i <= Number(rounds); i++) {
      for (const each of used) {
        for (const side of i % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const)) {
          const { baseUrl, api } = sides[side];
          const beforeMs = processorMs(api().pid);
          const seen = collector.spans.length;
          await ask(`${baseUrl}${each.route}`, requestsOfRound);
          // What has been sent belongs to what it cost; those that found no room were lost.
          if (side === 'on') await collector.until((spans) => spans.length > seen);
          each[side].push((processorMs(api().pid) - beforeMs) / requestsOfRound);
        }
      }
      note(`${i}/${rounds}`);
    }
    return {
      processorMillisecondsOfARequest: Object.fromEntries(
        used.map(({ route, ...ms }) => [route, { off: spread(ms.off), on: spread(ms.on) }]),
      ),
      megabytes: {
        api: await Promise.all([off, on].map(({ api }) => residentMegabytes(api().pid ?? 0))),
        worker: await Promise.all([off, on].map(({ worker }) => residentMegabytes(worker().pid ?? 0))),
      },
    };
  } finally {
    await on.close();
    await off.close();
    await collector.close();
  }
}
