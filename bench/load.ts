import { parseArgs } from 'node:util';
import { excerpt, toUnlike } from '../e2e/support/recordings.ts';
import { startSystem } from '../e2e/support/running-system.ts';
import { startCopies } from '../e2e/system/support/copies.ts';
import { request, toJson, toMultipart } from '../e2e/system/support/http.ts';
import { loadMix } from './lib/load-plan.ts';
import { makeMaterial } from './lib/load-visitor.ts';
import { putLoad, share, toFigures } from './lib/put-load.ts';

export const about =
  'a mix of what visitors do, at one API copy without caches, and at three behind the gateway [--seconds S] [--side-by-side N] [--seed N] [--only before|after]';

const lectureCount = 3;

/** Finished lectures to read, and models that are loaded: both sides begin alike. */
async function prepare(baseUrl: string): Promise<string[]> {
  const recording = await excerpt('lecture.mp3', 10, 20);
  const ids: string[] = [];
  for (let i = 0; i < lectureCount; i++) {
    const bytes = Buffer.from(await toUnlike(recording, i).arrayBuffer());
    const made = await request(`${baseUrl}/api/v1/lectures`, { method: 'POST', ...toMultipart(`${i}.mp3`, bytes) });
    const { id } = toJson(made) as { id: string };
    // It ends with the lecture.
    await request(`${baseUrl}/api/v1/lectures/${id}/events`);
    ids.push(id);
  }
  return ids;
}

/** Of the pieces of work that used a model, those that had to wait for it to be loaded. */
async function coldShare(workerUrl: string): Promise<number> {
  const text = String((await request(`${workerUrl}/metrics`)).body);
  const sum = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'gm'))].reduce((total, [, n]) => total + Number(n), 0);
  return share(sum('requests_cold_total'), sum('requests_total'));
}

export async function run(args: string[], note: (text: string) => void) {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '20' },
      'side-by-side': { type: 'string', default: '16' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
    },
  });
  const seconds = Math.max(1, Number(values.seconds) || 20);
  const sideBySide = Math.max(1, Number(values['side-by-side']) || 16);
  const seed = Number(values.seed) || 1;
  const material = await makeMaterial();
  const measure = async (baseUrl: string, workerUrl: string) => {
    const lectureIds = await prepare(baseUrl);
    const figures = toFigures(await putLoad(baseUrl, { seconds, sideBySide, seed, material, lectureIds }));
    return { ...figures, coldShare: await coldShare(workerUrl) };
  };
  const figures: Record<string, unknown> = { seconds, sideBySide, seed, mix: JSON.stringify(loadMix) };
  if (values.only !== 'after') {
    note('one API copy, no gateway, no caches');
    const off = { CLIP_CACHE_SECONDS: '0', TEXT_CACHE_SECONDS: '0', SUMMARY_CACHE_SECONDS: '0' };
    const system = await startSystem({ ...off, RATE_LIMIT: 'on' });
    try {
      figures.before = await measure(system.baseUrl, system.workerUrl);
    } finally {
      await system.close();
    }
  }
  if (values.only !== 'before') {
    note('three API copies behind the gateway, with caches');
    const copies = await startCopies({ apis: 3, worker: true });
    try {
      figures.after = await measure(copies.gateway.baseUrl, `http://127.0.0.1:${copies.workerPort}`);
    } finally {
      await copies.close();
    }
  }
  return figures;
}
