import type { AnswerStatement, AskResponse } from '@studymate/contracts/search';
import { readEventStream } from './event-stream.ts';

/** `passages`: what was found; `statement`: what a language model says of it; `answer`: all together, at the end. */
export type AskEvent =
  | { name: 'passages'; found: AskResponse }
  | { name: 'statement'; statement: AnswerStatement }
  | { name: 'answer'; found: AskResponse };

/** The events of an answer as they come. @throws Error when it breaks off */
export async function* readAnswer(body: ReadableStream<Uint8Array>): AsyncGenerator<AskEvent, void, undefined> {
  for await (const { name, data } of readEventStream(body)) {
    if (name === 'statement') yield { name, statement: JSON.parse(data) as AnswerStatement };
    if (name === 'passages' || name === 'answer') yield { name, found: JSON.parse(data) as AskResponse };
    if (name === 'answer') return;
  }
  throw new Error('The answer broke off.');
}
