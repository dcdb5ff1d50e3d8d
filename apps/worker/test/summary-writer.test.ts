import { createBreaker } from '@studymate/breaker/breaker';
import { summaryArtifactSchema } from '@studymate/contracts/artifacts';
import type { Summary } from '@studymate/contracts/study';
import { type LanguageModel, UselessAnswerError } from '@studymate/language-model/language-model';
import { createLogger } from '@studymate/observability/logger';
import { studyArtifactKey, transcriptKey } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDonors } from '../src/donors.ts';
import type { StageDeps } from '../src/stage-context.ts';
import { stages } from '../src/stages/stages.ts';
import type { StudyInput } from '../src/stages/study-inputs.ts';
import {
  createSummaryWriter,
  type SummaryWriter,
  summariesAtOnce,
  summaryBreakerRules,
} from '../src/stages/summary-writer.ts';
import { openTestRunners, type TestRunners } from './support/test-runner.ts';

const weights = 'all-MiniLM-L6-v2#33333333';
const never = new AbortController().signal;
const logger = createLogger({ name: 'test', level: 'silent' });

/** Stands for the text model: a place for each word. */
const dimensions = 128;
function embed(texts: readonly string[]): Float32Array {
  const vectors = new Float32Array(texts.length * dimensions);
  texts.forEach((text, row) => {
    const own = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
      const place = [...word].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % dimensions, 7);
      own[place] = (own[place] as number) + 1;
    }
    const norm = Math.hypot(...own) || 1;
    own.forEach((value, d) => {
      own[d] = value / norm;
    });
  });
  return vectors;
}
const models = {
  weightsName: async () => weights,
  text: {
    acquire: async () => ({
      cold: false,
      run: async (_: string, { texts }: { texts: string[] }) => ({ value: { dimensions, vectors: embed(texts) } }),
      release() {},
    }),
  },
} as unknown as StageDeps['models'];

const texts = [
  'Movable type was cast of metal in Mainz.',
  'The press gave many copies of one page.',
  'Paper came from mills that beat rags to pulp.',
  'Roman letters came from Italy later on.',
];
const sentences = texts.map((text, i) => ({
  ...{ text, start: i * 10, end: i * 10 + 9, pauseBefore: 1 },
  ...{ confidence: 0.9, flagged: false },
}));
const input: Omit<StudyInput, 'cold'> = {
  sentences,
  embeddings: { dimensions, vectors: embed(texts) },
  language: 'en',
  weights,
};
const extracted: Summary = {
  method: 'extractive',
  statements: [
    { text: texts[1] as string, start: 10, end: 19, length: 'short' },
    { text: texts[2] as string, start: 20, end: 29, length: 'medium' },
  ],
  keyTerms: [{ term: 'type', definition: 'a letter of metal', start: 0 }],
};

/** One that says this, piece by piece. */
const speaker = (text: string): LanguageModel => ({
  model: 'small',
  name: 'http://127.0.0.1 small',
  async *write() {
    yield* text.match(/[\s\S]{1,7}/gu) ?? [];
  },
});
const makeBreaker = (limits = { failures: 5, openMs: 60_000 }) =>
  createBreaker({ ...limits, ...summaryBreakerRules, onState() {}, onRefused() {} });
const breaker = makeBreaker();
const write = (model: LanguageModel, signal = never) =>
  createSummaryWriter({ model, models, breaker, logger }).write({ signal, reportProgress: () => {} }, input, extracted);

describe('a summary by a language model', () => {
  test('has what the lecture says of what it wrote, with its moments, lengths, and how it was made', async () => {
    const said =
      'Type was cast of metal in Mainz [1].\nPenguins waddle over the ice [2].\nMills beat rags to pulp for paper [3].\n';
    expect(await write(speaker(said))).toEqual({
      method: 'generative',
      model: 'small',
      statements: [
        { text: 'Type was cast of metal in Mainz.', start: 0, end: 9, length: 'medium' },
        { text: 'Mills beat rags to pulp for paper.', start: 20, end: 29, length: 'short' },
      ],
      keyTerms: extracted.keyTerms,
    });
  });

  test.each([
    ['says nothing that the lecture says', 'Penguins waddle over the ice [1]. Whales sing below it [2].'],
    ['says nothing', ''],
    ['cites nothing', 'Type was cast of metal in Mainz. Mills beat rags to pulp.'],
  ])('by one that %s: is none', async (_, said) => {
    expect(await write(speaker(said))).toBeNull();
  });

  test('by one that fails in the middle: is none', async () => {
    const model: LanguageModel = {
      ...speaker(''),
      async *write() {
        yield 'Type was cast of metal in Mainz [1]. ';
        throw new Error('it broke off');
      },
    };
    expect(await write(model)).toBeNull();
  });

  test('of more lectures than are written at once: the others wait their turn, and may be cancelled meanwhile', async () => {
    let asked = 0;
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const model: LanguageModel = {
      ...speaker(''),
      async *write() {
        asked++;
        await gate;
        yield 'Type was cast of metal in Mainz [1]. ';
      },
    };
    const writer = createSummaryWriter({ model, models, breaker, logger });
    const leaving = new AbortController();
    const write = (signal: AbortSignal) => writer.write({ signal, reportProgress: () => {} }, input, extracted);
    const running = Array.from({ length: summariesAtOnce + 2 }, () => write(never));
    await expect.poll(() => asked).toBe(summariesAtOnce);
    const cancelled = write(leaving.signal);
    leaving.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    expect(asked).toBe(summariesAtOnce);
    goOn();
    expect((await Promise.all(running)).every((summary) => summary?.method === 'generative')).toBe(true);
    expect(asked).toBe(summariesAtOnce + 2);
  });

  test.each<[string, Error, number, number]>([
    ['fails again and again: is not asked for a while', new Error('it broke off'), 60_000, 2],
    ['fails again and again: is asked again after its time', new Error('it broke off'), 0, 5],
    ['does not end: may do better with another lecture', new UselessAnswerError('it does not end'), 60_000, 5],
  ])('by one that %s', async (_, error, openMs, expected) => {
    let asked = 0;
    const model: LanguageModel = {
      ...speaker(''),
      // biome-ignore lint/correctness/useYield: it never comes to say anything
      async *write() {
        asked++;
        throw error;
      },
    };
    const writer = createSummaryWriter({ model, models, breaker: makeBreaker({ failures: 2, openMs }), logger });
    for (let i = 0; i < 5; i++) {
      expect(await writer.write({ signal: never, reportProgress: () => {} }, input, extracted)).toBeNull();
    }
    expect(asked).toBe(expected);
  });

  test('by one that has failed again and again: is tried with one lecture, and the others do not wait', async () => {
    const gates = [0, 1].map(() => {
      let open = () => {};
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      return { open, opened };
    });
    let asked = 0;
    const model: LanguageModel = {
      ...speaker(''),
      async *write() {
        await gates[asked++]?.opened;
        yield '';
        throw new Error('it broke off');
      },
    };
    const writer = createSummaryWriter({ model, models, breaker: makeBreaker({ failures: 1, openMs: 0 }), logger });
    const write = () => writer.write({ signal: never, reportProgress: () => {} }, input, extracted);
    gates[0]?.open();
    await write();
    const probe = write();
    expect(await Promise.all([write(), write()])).toEqual([null, null]);
    gates[1]?.open();
    expect(await probe).toBeNull();
    expect(asked).toBe(2);
  });

  test('that is cancelled: stops the model, and says so', async () => {
    const leaving = new AbortController();
    const model: LanguageModel = {
      ...speaker(''),
      // biome-ignore lint/correctness/useYield: it never comes to say anything
      async *write(_, { signal }) {
        leaving.abort();
        signal.throwIfAborted();
      },
    };
    await expect(write(model, leaving.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('the stage summary', () => {
  let runners: TestRunners;
  beforeAll(async () => {
    runners = await openTestRunners();
  });
  afterAll(() => runners.close());

  const studyInputs: StageDeps['studyInputs'] = { read: async () => ({ ...input, cold: null }) };
  const studyProcess = { run: async () => extracted } as unknown as StageDeps['studyProcess'];
  /** @returns the summary and its algorithm */
  async function summarise(summaryWriter: SummaryWriter | null, sha256: string, left?: Summary) {
    const { lectures, artifacts } = runners;
    const media = { fileName: 'a.mp3', contentType: 'audio/mpeg', bytes: 10, sha256 };
    const { id } = await runners.makeLecture({ media: { ...media, key: `media/${sha256}` } });
    const at = '2026-01-01T00:00:00.000Z';
    const pin = {
      key: transcriptKey(id, 1),
      schemaVersion: 1,
      algorithm: 'a@1',
      attempt: 1,
      startedAt: at,
      seconds: 0,
    };
    await lectures.update(id, (record) => ({
      ...record,
      artifacts: { assemble: { ...pin, cold: null, contentSha256: 'same' } },
      skipped: { chapters: 'not_asked', topics: 'not_asked', flashcards: 'not_asked' },
    }));
    if (left) await artifacts.createArtifact(studyArtifactKey(id, 'summary', 1), { schemaVersion: 1, content: left });
    const runner = runners.createRunner(stages, {
      ...{ models, studyInputs, studyProcess, summaryWriter },
      donors: createDonors({ artifacts, lectures }),
    });
    await runner.run(
      { lectureId: id, stage: 'summary', part: 0, attempt: 1 },
      { isFinal: () => true, tries: 1, signal: never },
    );
    const { summary } = (await lectures.read(id))?.artifacts ?? {};
    const artifact = await artifacts.readArtifact(summary?.key ?? '', summaryArtifactSchema);
    return { algorithm: summary?.algorithm, reused: summary?.reused, summary: artifact?.content };
  }
  const writer = (said: string) => createSummaryWriter({ model: speaker(said), models, breaker, logger });
  const good = 'Type was cast of metal in Mainz [1]. Mills beat rags to pulp for paper [3].';

  test('without a language model, or with one of no use: has the own sentences, and neither stands for a written one', async () => {
    const plain = await summarise(null, 'aa');
    expect(plain).toMatchObject({ algorithm: expect.stringMatching(/^summary@\d+\+all-MiniLM-L6-v2#33333333$/) });
    expect(plain.summary).toEqual(extracted);
    const failed = await summarise(writer('Penguins [1].'), 'aa');
    expect([failed.algorithm, failed.summary, failed.reused]).toEqual([plain.algorithm, extracted, undefined]);
  });

  test('of a run that died before it could say so: is named by what it had written', async () => {
    const written: Summary = { ...extracted, method: 'generative', model: 'other' };
    const failed = await summarise(writer('Penguins [1].'), 'cc', written);
    expect([failed.algorithm, failed.summary]).toEqual([expect.stringMatching(/\+written@1\+other$/), written]);
    const plain = await summarise(writer(good), 'dd', extracted);
    expect([plain.algorithm, plain.summary]).toEqual([expect.stringMatching(/#33333333$/), extracted]);
  });

  test('with one: has what it wrote, under a name of its own, and the same recording again takes it over', async () => {
    const written = await summarise(writer(good), 'bb');
    expect(written.algorithm).toMatch(/^summary@\d+\+all-MiniLM-L6-v2#33333333\+written@1\+small$/);
    expect(written.summary).toMatchObject({ method: 'generative', model: 'small' });
    const again = await summarise(writer('Penguins [1].'), 'bb');
    expect(again).toEqual({ ...written, reused: true });
    expect(await summarise(null, 'bb')).toMatchObject({ summary: { method: 'extractive' } });
  });
});
