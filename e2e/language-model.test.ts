import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AskEvent } from '@studymate/client/ask-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { excerpt } from './support/recordings.ts';
import { type RunningSystem, startSystem } from './support/running-system.ts';

let server: Server;
let system: RunningSystem;
/** What the server was given to read. */
const read: string[] = [];

/** Stands for a language model that says the truth, and then something else. */
function answer(material: string): string {
  read.push(material);
  const truth = material.startsWith('{')
    ? (JSON.parse(material) as { passages: { text: string }[] }).passages.map(
        ({ text }, i) => `${toWords(text)} [${i + 1}].`,
      )
    : material
        .split('\n')
        .map((line) => line.replace(/^(\[\d+\]) (.*)$/, (_, number, text) => `${toWords(text)} ${number}.`));
  return `${truth.slice(0, 4).join('\n')}\nPenguins waddle over the ice [1].\n`;
}
/** The first sentence, without what ends it: the citation comes before that. */
const toWords = (text: string) => (/^[^.!?;:]+/.exec(text)?.[0] ?? '').trim();

beforeAll(async () => {
  server = createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += part;
    const { messages } = JSON.parse(body) as { messages: { content: string }[] };
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const choice = { delta: { content: answer(messages.at(-1)?.content ?? '') }, finish_reason: 'stop' };
    res.end(`data: ${JSON.stringify({ choices: [choice] })}\n\ndata: [DONE]\n\n`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  system = await startSystem({ LLM_BASE_URL: `http://127.0.0.1:${port}/v1`, LLM_MODEL: 'small' });
});
afterAll(async () => {
  await system?.close();
  server.closeAllConnections();
  server.close();
});

test('with a language model: a lecture has a summary in its words, and a question an answer, as far as they are true', async () => {
  const { client } = system;
  const { id } = await client.uploadLecture(await excerpt('model.mp3', 0, 60));
  expect((await client.waitForLecture(id)).status).toBe('ready');
  const transcript = await client.getTranscript(id);
  const summary = await client.getSummary(id, { length: 'long' });
  expect(summary).toMatchObject({ method: 'generative', model: 'small' });
  expect(summary.statements.length).toBeGreaterThan(0);
  const metrics = await (await fetch(`${system.workerUrl}/metrics`)).text();
  expect(metrics).toMatch(/^circuit_breaker_state\{(?=.*dependency="language_model")(?=.*state="closed").*\} 1$/m);
  for (const { text, start, end } of summary.statements) {
    expect(text).not.toMatch(/penguin/i);
    const said = transcript.segments.filter((segment) => segment.end > start && segment.start < end);
    const words = new Set(said.flatMap((segment) => segment.text.toLowerCase().match(/\p{L}+/gu) ?? []));
    expect(words).toContain(text.toLowerCase().match(/\p{L}{4,}/u)?.[0]);
  }
  const events: AskEvent[] = [];
  const question = { question: 'When was the art of printing invented?', lectureId: id };
  for await (const event of client.askStream(question)) events.push(event);
  const [first, last] = [events[0], events.at(-1)];
  if (first?.name !== 'passages' || last?.name !== 'answer') throw new Error(JSON.stringify(events));
  const { statements = [], passages, answer: text } = last.found;
  expect(events.slice(1, -1)).toEqual(statements.map((statement) => ({ name: 'statement', statement })));
  expect(statements.length).toBeGreaterThan(0);
  for (const statement of statements) {
    expect(passages[statement.passages[0] ?? -1]?.text).toContain(statement.text.slice(0, -1));
  }
  expect(text).not.toMatch(/penguin/i);
  expect(read).toHaveLength(2);
});
