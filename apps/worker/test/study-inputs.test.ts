import { EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import { createStudyInputs } from '../src/stages/study-inputs.ts';
import { openTestRunners } from './support/test-runner.ts';

type Deps = Parameters<typeof createStudyInputs>[0];

const text = 'Metal type made books cheap, and that changed how people learned.';
const words = text.split(' ').map((word, i) => ({ word, start: i, end: i + 1, probability: 0.9 }));
const segments = [{ id: 0, start: 0, end: words.length, text, confidence: 0.9, flags: [], words }];
const transcript = { schemaVersion: 1, content: { language: 'en', text, segments } };

/** A model that the first who asks never gets, until it stops asking. */
function createSlowModel() {
  const happened = new EventEmitter();
  let asked = 0;
  const lease = {
    cold: false,
    run: async () => ({ value: { dimensions: 2, vectors: Float32Array.of(1, 0) }, seconds: 0 }),
    release() {},
  };
  return {
    asked: once(happened, 'asked'),
    async acquire(signal: AbortSignal) {
      if (++asked > 1) return lease;
      const stopped = once(signal, 'abort');
      happened.emit('asked');
      await stopped;
      throw signal.reason;
    },
  };
}

test('of two stages that share the embeddings, the one that makes them is stopped: the other makes them itself', async () => {
  const runners = await openTestRunners();
  try {
    const record = await runners.makeLecture();
    const model = createSlowModel();
    const inputs = createStudyInputs({
      artifacts: { ...runners.artifacts, readArtifact: async () => transcript } as unknown as Deps['artifacts'],
      edits: { read: async () => null },
      donors: { findEmbeddings: async () => null },
      models: { text: model, weightsName: async () => 'text#1' } as unknown as Deps['models'],
    });
    const stop = new AbortController();
    const write = runners.artifacts;
    const first = inputs.read(record, 0, { signal: stop.signal, write });
    const second = inputs.read(record, 0, { signal: new AbortController().signal, write });
    const refused = expect(first).rejects.toThrow('overtaken');
    await model.asked;
    stop.abort(new Error('overtaken'));
    await refused;
    expect(await second).toMatchObject({ embeddings: { dimensions: 2 } });
  } finally {
    await runners.close();
  }
});
