import path from 'node:path';
import { expect, test } from 'vitest';
import { listFiles } from './faults/checks.ts';
import { followLecture } from './faults/followed-lecture.ts';
import { excerpt } from './support/recordings.ts';
import { startSystem } from './support/running-system.ts';
import { until } from './support/until.ts';

async function familiesOf(workerUrl: string): Promise<string[]> {
  const { models } = (await (await fetch(`${workerUrl}/health/ready`)).json()) as { models: { family: string }[] };
  return models.map(({ family }) => family);
}

const request = { documents: ['Boil the pasta.', 'A comet orbits the sun.'] };

test('a worker for speech alone and, later, one for text: each does its part, and the lecture becomes ready', async () => {
  const system = await startSystem({ WORKER_FAMILIES: 'speech' });
  try {
    expect(await familiesOf(system.workerUrl)).toEqual(['speech']);
    const answered = system.client.topics(request).catch((error) => error.code);
    const { id } = await system.client.uploadLecture(await excerpt('printing.mp3', 0, 40));
    const followed = followLecture(system.client, id);
    await followed.untilText();
    const folder = path.join(system.dataDir, 'lectures', id);
    await until('all chunks are cut and transcribed', async () => {
      const files = await listFiles(folder);
      const count = (stage: string) =>
        files.filter((file) => file.startsWith(`${stage}/1/chunk-`) && file.endsWith('.json')).length;
      return files.includes('ingest/1/manifest.json') && count('transcribe') === count('ingest');
    });
    const statusOf = async (name: string) => {
      const { stages } = await system.client.getLecture(id);
      return stages.find((stage) => stage.name === name)?.status;
    };
    // What only the other family does, waits; the reconciler leaves it where it is.
    const clip = await system.client.transcribe(await excerpt('clip.mp3', 19, 5));
    expect(clip.text).toMatch(/similar process/i);
    expect(['queued', 'waiting']).toContain(await statusOf('assemble'));

    expect(await answered).toBe('no_worker');

    const text = await system.startExtraWorker({ WORKER_FAMILIES: 'text' });
    expect(await familiesOf(text.url)).toEqual(['text']);
    expect((await system.client.topics(request)).topics.length).toBeGreaterThan(0);
    await followed.untilEnd(180_000);
    expect((await system.client.getLecture(id)).status).toBe('ready');
    const states = await system.client.modelStatus();
    expect(states.map(({ family, workers, readyWorkers }) => [family, workers, readyWorkers])).toEqual([
      ['speech', 1, 1],
      ['text', 1, 1],
    ]);
  } finally {
    await system.close();
  }
});
