import { startSystem } from '../e2e/support/running-system.ts';
import { median, quantile, round } from './lib/statistics.ts';

export const about = 'a streamed summary of 10,000 words over HTTP: first piece, whole answer, from the cache [rounds]';

const subjects = ['printing', 'astronomy', 'harbours', 'medicine', 'bridges', 'music', 'agriculture', 'navigation'];
const verbs = ['changed', 'described', 'measured', 'financed', 'copied', 'repaired', 'taught', 'questioned'];
const things = ['instruments', 'workshops', 'manuscripts', 'theories', 'markets', 'machines', 'drawings', 'contracts'];

/** Sentences of some twenty words that differ, so that none stands for another. @param seed another text for each */
function makeText(words: number, seed: number): string {
  const pick = (list: string[], i: number) => list[(i * 7 + seed * 3 + Math.floor(i / 8)) % list.length] ?? '';
  const sentences: string[] = [];
  for (let i = 0, count = 0; count < words; i++) {
    const sentence =
      `In ${1200 + ((i * 13 + seed) % 800)} the masters of ${pick(subjects, i)} ${pick(verbs, i + 1)} the ${pick(things, i + 2)} ` +
      `of their ${pick(subjects, i + 3)}, and ${pick(verbs, i + 4)} ${pick(things, i + 5)} number ${i} for the next generation.`;
    sentences.push(sentence);
    count += sentence.split(' ').length;
  }
  return sentences.join(' ');
}

/** Seconds to the first piece and to the last event. */
async function ask(url: string, text: string) {
  const startMs = performance.now();
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ text }) });
  if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`);
  let firstSeconds = Number.NaN;
  let answer = '';
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    if (answer === '') firstSeconds = (performance.now() - startMs) / 1000;
    answer += part;
  }
  if (!answer.endsWith('"done":true}\n\n')) throw new Error('the answer broke off');
  return {
    firstSeconds,
    seconds: (performance.now() - startMs) / 1000,
    cache: response.headers.get('x-cache'),
    answer,
  };
}

export async function run(args: string[], note: (text: string) => void) {
  const rounds = Number(args[0] ?? 11);
  const system = await startSystem();
  const url = `${system.baseUrl}/api/v1/summarize/stream`;
  const summary = (seconds: number[]) => ({
    median: round(median(seconds), 3),
    p95: round(quantile(seconds, 0.95), 3),
  });
  try {
    note('cold');
    const cold = await ask(url, makeText(400, 1_000));
    const measure = async (words: number) => {
      const first: number[] = [];
      const whole: number[] = [];
      const again: number[] = [];
      for (let i = 0; i < rounds; i++) {
        const text = makeText(words, i);
        const made = await ask(url, text);
        const kept = await ask(url, text);
        if (made.cache !== 'miss' || kept.cache !== 'hit' || made.answer !== kept.answer)
          throw new Error('not as kept');
        first.push(made.firstSeconds);
        whole.push(made.seconds);
        again.push(kept.seconds);
      }
      note(`${words} words`);
      return { firstPieceSeconds: summary(first), wholeSeconds: summary(whole), fromCacheSeconds: summary(again) };
    };
    return {
      coldFirstPieceSeconds: round(cold.firstSeconds, 3),
      words600: await measure(600),
      words10000: await measure(10_000),
      rounds,
    };
  } finally {
    await system.close();
  }
}
