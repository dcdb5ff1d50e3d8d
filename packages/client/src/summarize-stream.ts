import { readEventStream } from './event-stream.ts';

/** The pieces of a summary as they come; put together they are the summary. @throws Error when it breaks off */
export async function* readSummary(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  for await (const { data } of readEventStream(body)) {
    const { content, done } = JSON.parse(data) as { content: string; done: boolean };
    if (content !== '') yield content;
    if (done) return;
  }
  throw new Error('The summary broke off.');
}
