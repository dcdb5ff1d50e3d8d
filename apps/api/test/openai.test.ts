import { AppError } from '@studymate/contracts/errors';
import { describe, expect, test } from 'vitest';
import { type AudioResult, toAudioAnswer } from '../src/openai/audio-answer.ts';
import { createAudioRequestReader } from '../src/openai/audio-request.ts';
import { toOpenaiError } from '../src/openai/openai-error.ts';

function read(...fields: [name: string, value: string][]) {
  const reader = createAudioRequestReader();
  for (const [name, value] of fields) reader.onField(name, value);
  return reader.toRequest();
}

describe('the fields of a request', () => {
  test('none: JSON, not streamed, the likeliest words, segments', () => {
    expect(read()).toEqual({
      model: null,
      language: null,
      prompt: null,
      temperature: 0,
      format: 'json',
      stream: false,
      granularities: new Set(['segment']),
    });
  });

  test.each(['timestamp_granularities[]', 'timestamp_granularities', 'timestamp_granularities[0]'])(
    'an array sent as %s: is read',
    (name) => {
      expect(read([name, 'word']).granularities).toEqual(new Set(['word']));
    },
  );

  test('unknown and empty ones, also with names of Object: are left alone', () => {
    const fields = ['include[]', 'chunking_strategy', 'constructor', '__proto__', 'language'] as const;
    expect(read(...fields.map((name): [string, string] => [name, name === 'language' ? ' ' : 'auto']))).toEqual(read());
  });

  test.each([
    ['temperature', '1.5'],
    ['temperature', 'warm'],
    ['response_format', 'xml'],
    ['stream', 'perhaps'],
    ['timestamp_granularities[]', 'letter'],
    ['language', 'Dothraki'],
    ['prompt', 'x'.repeat(4_001)],
  ])('%s = %.10s: refused, with the name of the field', (name, value) => {
    expect(() => read([name, value])).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ param: name.replace('[]', '') }) }),
    );
  });
});

const word = { word: 'Hello.', start: 1, end: 1.5, probability: 0.9 };
const result: AudioResult = {
  task: 'transcribe',
  language: 'en',
  durationSeconds: 2.2,
  text: 'Hello.',
  segments: [{ id: 0, start: 1, end: 1.5, text: 'Hello.', confidence: 0.9, flags: [], words: [word] }],
  decodings: [
    {
      windowStart: 0.5,
      tokens: [2425, 13],
      temperature: 0.4,
      averageLogProbability: -0.2,
      compressionRatio: 0.9,
      noSpeechProbability: 0.1,
    },
  ],
};
const verbose = (with_: string[], changes: Partial<AudioResult> = {}) =>
  JSON.parse(
    toAudioAnswer(
      read(
        ['response_format', 'verbose_json'],
        ...with_.map((name): [string, string] => ['timestamp_granularities[]', name]),
      ),
      { ...result, ...changes },
    ).body,
  );

describe('the answer', () => {
  test('verbose_json: the fields that OpenAI names, and no others', () => {
    expect(verbose(['word', 'segment'])).toEqual({
      task: 'transcribe',
      language: 'english',
      duration: 2.2,
      text: 'Hello.',
      words: [{ word: 'Hello.', start: 1, end: 1.5 }],
      segments: [
        {
          id: 0,
          seek: 50,
          start: 1,
          end: 1.5,
          text: ' Hello.',
          tokens: [2425, 13],
          temperature: 0.4,
          avg_logprob: -0.2,
          compression_ratio: 0.9,
          no_speech_prob: 0.1,
        },
      ],
      usage: { type: 'duration', seconds: 3 },
    });
    expect(verbose(['word']).segments).toBe(undefined);
  });

  test('verbose_json of a transcript whose decoding is not known: numbers all the same', () => {
    const [segment] = verbose(['segment'], { decodings: null }).segments;
    expect(segment).toMatchObject({ tokens: [], temperature: 0, seek: 100, avg_logprob: expect.closeTo(-0.105, 2) });
  });

  test('nothing said: an empty text, an unknown language', () => {
    expect(verbose([], { language: null, text: '', segments: [], decodings: [] })).toMatchObject({
      language: 'unknown',
      text: '',
      segments: [],
    });
  });
});

describe('an error', () => {
  test.each([
    ['unauthenticated', 'invalid_request_error', 'invalid_api_key'],
    ['not_media', 'invalid_request_error', 'not_media'],
    ['too_many_lectures', 'rate_limit_error', 'too_many_lectures'],
    ['model_loading', 'server_error', 'model_loading'],
  ] as const)('%s: of type %s with code %s', (code, type, shown) => {
    expect(toOpenaiError(new AppError(code, 'why'), 'why', 'r1')).toEqual({
      error: { message: 'why', type, param: null, code: shown, requestId: 'r1' },
    });
  });
});
