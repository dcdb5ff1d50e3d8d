import type { AnswerStatement, AskResponse } from '@studymate/contracts/search';
import type { Request } from 'express';
import type { SseWriter } from '../http/sse.ts';
import type { Asked } from './ask.ts';

/** A comment this often while a language model thinks keeps proxies from closing the connection. */
const quietMs = 15_000;

/** Whether a caller who does not say so in the body wants an event stream. */
export function wantsEvents(req: Request): boolean {
  return /(?:^|,)\s*text\/event-stream\s*(?:;|,|$)/i.test(req.get('accept') ?? '');
}

/** The whole answer, when all of it is written. */
export async function collectAnswer({ found, write }: Asked): Promise<AskResponse> {
  const statements: AnswerStatement[] = [];
  for await (const statement of write()) statements.push(statement);
  return toWhole(found, statements);
}

/**
 * The events `passages` (what was found), `statement` for each as it is written, and `answer` with the whole, which is what a
 * caller without a stream gets.
 */
export async function streamAnswer({ found, write }: Asked, sse: SseWriter): Promise<void> {
  const timer = setInterval(() => sse.comment('working'), quietMs);
  try {
    await sse.send({ name: 'passages', data: found });
    const statements: AnswerStatement[] = [];
    for await (const statement of write()) {
      if (sse.signal.aborted) return;
      statements.push(statement);
      await sse.send({ name: 'statement', data: statement });
    }
    await sse.send({ name: 'answer', data: toWhole(found, statements) });
    sse.end();
  } catch (error) {
    // Whoever has gone needs no answer, and to the others the head was sent: the end without an answer tells them.
    if (sse.signal.aborted) return;
    sse.end();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

function toWhole(found: AskResponse, statements: AnswerStatement[]): AskResponse {
  if (statements.length === 0) return found;
  const marks = (passages: readonly number[]) => passages.map((place) => `[${place + 1}]`).join('');
  const answer = statements.map(({ text, passages }) => `${text} ${marks(passages)}`).join(' ');
  return { ...found, answer, statements };
}
