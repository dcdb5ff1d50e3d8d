import { expect, test } from 'vitest';
import { readWhisperCppOutput } from '../src/model-process/engines/whisper-cpp-output.ts';

interface Token {
  text: string;
  id: number;
  p: number;
  from: number;
  to: number;
}

/** As whisper.cpp 1.5.0 writes it: bytes, of which quotes and backslashes alone are escaped. */
function write(segments: Token[][], { multilingual = true, language = 'de' } = {}): string {
  const escaped = (text: string) => text.replace(/["\\]/g, '\\$&');
  const toToken = ({ text, id, p, from, to }: Token) =>
    `{\n\t"text": "${escaped(text)}",\n\t"offsets": {\n\t"from": ${from},\n\t"to": ${to}\n},\n"id": ${id},\n"p": ${p}\n}`;
  const toSegment = (tokens: Token[]) => {
    const text = escaped(tokens.map((token) => (token.id < 50_257 ? token.text : '')).join(''));
    return `{\n"text": "${text}",\n"tokens": [\n${tokens.map(toToken).join(',\n')}\n]\n}`;
  };
  const model = `"model": {\n"type": "base",\n"multilingual": ${multilingual}\n}`;
  return `{\n${model},\n"result": {\n"language": "${language}"\n},\n"transcription": [\n${segments.map(toSegment).join(',\n')}\n]\n}\n`;
}

const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

test('tokens with bytes, probabilities and seconds; times and other special tokens are left out', () => {
  const json = write([
    [
      { text: '[_BEG_]', id: 50_364, p: 0.9, from: 0, to: 0 },
      { text: ' Gr', id: 100, p: 0.5, from: 50, to: 580 },
      { text: latin1('ü').slice(0, 1), id: 101, p: 0.25, from: 580, to: 600 },
      { text: latin1('ü').slice(1), id: 102, p: 0.25, from: 600, to: 700 },
      { text: '[_TT_50]', id: 50_414, p: 0.9, from: 700, to: 700 },
    ],
  ]);
  const errorText = 'whisper_full_with_state: auto-detected language: de (p = 0.971203)\n';
  const { language, languageProbability, tokens } = readWhisperCppOutput(json, errorText);
  expect([language, languageProbability]).toEqual(['de', 0.971203]);
  expect(Buffer.concat(tokens.map(({ bytes }) => bytes)).toString('utf8')).toBe(' Grü');
  expect(tokens.map(({ id, probability, start, end }) => [id, probability, start, end])).toEqual([
    [100, 0.5, 0.05, 0.58],
    [101, 0.25, 0.58, 0.6],
    [102, 0.25, 0.6, 0.7],
  ]);
});

test('times that go back are held', () => {
  const json = write([
    [
      { text: ' a', id: 1, p: 1, from: 500, to: 900 },
      { text: ' b', id: 2, p: 1, from: 700, to: 800 },
    ],
  ]);
  expect(readWhisperCppOutput(json, '').tokens.map(({ start, end }) => [start, end])).toEqual([
    [0.5, 0.9],
    [0.9, 0.9],
  ]);
});

test.each(['[BLANK_AUDIO]', ' (upbeat music)', ' *sighs*', ' ♪ la la ♪'])(
  'a segment that says %s has no words',
  (text) => {
    const sound = { text: latin1(text), id: 7, p: 0.9, from: 0, to: 900 };
    const said = { text: ' (as he put it) well', id: 8, p: 0.9, from: 900, to: 1500 };
    expect(readWhisperCppOutput(write([[sound], [said]]), '').tokens.map(({ id }) => id)).toEqual([8]);
  },
);

test('quotes, backslashes and control signs in a text are read; what is no such file is an error with a code', () => {
  const odd = { text: ' "C:\\\n"', id: 9, p: 0.9, from: 0, to: 900 };
  expect(readWhisperCppOutput(write([[odd]]), '').tokens[0]?.bytes.toString()).toBe(' "C:\\ "');
  for (const json of ['', '{"transcription": []}', write([[odd]]).slice(0, -40)]) {
    expect(() => readWhisperCppOutput(json, '')).toThrowError(expect.objectContaining({ code: 'model_crashed' }));
  }
});
