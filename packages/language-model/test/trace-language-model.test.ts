import { type Collector, startCollector } from '@studymate/observability/testing';
import { createTracer, noTracer, type Tracer } from '@studymate/observability/tracer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LanguageModel } from '../src/language-model.ts';
import { traceLanguageModel } from '../src/trace-language-model.ts';

let collector: Collector;
let tracer: Tracer;
beforeEach(async () => {
  collector = await startCollector();
  const place = { headers: {}, serviceName: null, sampler: 'always_on', sampleRatio: 1 } as const;
  const { url: endpoint } = collector;
  tracer = await createTracer({ collector: { endpoint, ...place }, service: 'api', onTrouble() {}, onBack() {} });
});
afterEach(async () => {
  await tracer.close();
  await collector.close();
});

const options = { signal: new AbortController().signal, maxCharacters: 100, longestMs: 60_000 };
const speaker: LanguageModel = {
  model: 'small',
  name: 'a server',
  async *write(messages) {
    yield 'one ';
    if (messages.length > 1) throw new Error('kwyjibo');
    yield 'two';
  },
};

test('an answer, one that breaks off and one that nobody wants more of: a span each, below who asked, without a word', async () => {
  const model = traceLanguageModel(tracer, speaker);
  const message = { role: 'user', content: 'zymurgy' } as const;
  await tracer.span('asked', {}, async () => {
    let all = '';
    for await (const piece of model.write([message], options)) all += piece;
    expect(all).toBe('one two');
    await expect(async () => {
      for await (const _ of model.write([message, message], options));
    }).rejects.toThrow('kwyjibo');
    for await (const _ of model.write([message], options)) break;
  });
  await tracer.close();
  const asked = collector.spans.find(({ name }) => name === 'asked');
  const answers = collector.spans.filter(({ name }) => name === 'language model');
  expect(answers.map((span) => [span.parentSpanId, span.isFailed])).toEqual([
    [asked?.spanId, false],
    [asked?.spanId, true],
    [asked?.spanId, false],
  ]);
  expect(JSON.stringify(collector.spans)).not.toMatch(/kwyjibo|zymurgy|two/);
});

test('where nothing is traced: the model itself', () => {
  expect(traceLanguageModel(noTracer, speaker)).toBe(speaker);
});
