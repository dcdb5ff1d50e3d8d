import { type LoadKind, loadMix, planLoad } from './load-plan.ts';
import { type LoadMaterial, visit } from './load-visitor.ts';
import { quantile, round } from './statistics.ts';

/** More than any machine answers in the longest time. */
const maxCount = 100_000;
const maxSeconds = 600;
const maxSideBySide = 64;
const visitors = 200;

export interface Outcome {
  kind: LoadKind;
  /** When the answer was whole, since the load began. */
  atMs: number;
  ms: number;
  status: number;
  /** Of the API's own cache; null where nothing is ever kept. */
  cache: string | null;
  gatewayCache: string | null;
}

/**
 * Each of so many visitors at a time sends its next request as soon as it has the answer to the last.
 * @param options.count so many requests at most
 */
export async function putLoad(
  baseUrl: string,
  options: {
    seconds: number;
    sideBySide: number;
    seed: number;
    count?: number;
    material: LoadMaterial;
    lectureIds: string[];
  },
): Promise<{ outcomes: Outcome[]; seconds: number }> {
  const { seed, material, lectureIds } = options;
  const seconds = Math.min(maxSeconds, options.seconds);
  const plan = planLoad({ seed, count: Math.min(maxCount, options.count ?? maxCount), visitors });
  const outcomes: Outcome[] = [];
  const startMs = performance.now();
  let next = 0;
  const go = async () => {
    while (performance.now() - startMs < seconds * 1000 && next < plan.length) {
      const number = next++;
      const planned = plan[number];
      if (!planned) return;
      const sentMs = performance.now();
      const answer = await visit(baseUrl, planned, { material, lectureIds, number }).catch(() => null);
      const header = (name: string) => String(answer?.headers[name] ?? '') || null;
      outcomes.push({
        kind: planned.kind,
        atMs: performance.now() - startMs,
        ms: performance.now() - sentMs,
        status: answer?.status ?? 0,
        cache: header('x-cache'),
        gatewayCache: header('x-gateway-cache'),
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxSideBySide, options.sideBySide) }, go));
  return { outcomes, seconds: (performance.now() - startMs) / 1000 };
}

export const share = (part: number, all: number): number => round(all === 0 ? 0 : part / all);
const shareOf = (values: readonly (string | null)[], ...good: string[]): number => {
  const counted = values.filter((value) => value !== null);
  return share(counted.filter((value) => good.includes(value)).length, counted.length);
};

export function toFigures({ outcomes, seconds }: { outcomes: Outcome[]; seconds: number }) {
  const times = outcomes.map(({ ms }) => ms);
  const kinds = Object.keys(loadMix) as LoadKind[];
  const millisecondsByKind = Object.fromEntries(
    kinds.map((kind) => {
      const own = outcomes.filter((each) => each.kind === kind).map(({ ms }) => ms);
      return [kind, own.length === 0 ? 'none' : `${round(quantile(own, 0.5), 1)} / ${round(quantile(own, 0.95), 1)}`];
    }),
  );
  return {
    requests: outcomes.length,
    requestsPerSecond: round(outcomes.length / seconds, 1),
    // Once the caches are filled, where there are any.
    requestsPerSecondInSecondHalf: round(outcomes.filter(({ atMs }) => atMs > seconds * 500).length / (seconds / 2), 1),
    milliseconds50: round(quantile(times, 0.5), 1),
    milliseconds95: round(quantile(times, 0.95), 1),
    milliseconds99: round(quantile(times, 0.99), 1),
    refusedShare: share(outcomes.filter(({ status }) => status === 429).length, outcomes.length),
    errorShare: share(outcomes.filter(({ status }) => status === 0 || status >= 400).length, outcomes.length),
    cacheHitShare: shareOf(
      outcomes.map(({ cache }) => cache),
      'hit',
      'stale',
    ),
    gatewayHitShare: shareOf(
      outcomes.map(({ gatewayCache }) => gatewayCache),
      'HIT',
      'STALE',
      'UPDATING',
    ),
    'milliseconds 50 % / 95 % of': millisecondsByKind,
  };
}
