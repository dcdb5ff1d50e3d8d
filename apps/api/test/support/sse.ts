import { readEventStream } from '@studymate/client/event-stream';

export interface SeenEvent {
  name: string;
  id: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: the data of any event, looked into by the tests
  data: any;
}

export interface Listener {
  response: Response;
  /** Events so far. */
  seen: SeenEvent[];
  /** Waits for the first event that fits, also among those that have come. */
  next(fits: (event: SeenEvent) => boolean): Promise<SeenEvent>;
  /** Resolves when the server has ended the stream. */
  ended: Promise<void>;
  leave(): void;
}

/** Follows an event stream as a browser would. */
export async function listen(
  url: string,
  lastEventId?: string,
  credentials: Record<string, string> = {},
): Promise<Listener> {
  const leaving = new AbortController();
  const headers = { ...credentials, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
  const response = await fetch(url, { headers, signal: leaving.signal });
  const seen: SeenEvent[] = [];
  const waiting = new Set<() => void>();
  const { body } = response;
  const ended = (async () => {
    try {
      if (body) {
        for await (const { name, data, lastEventId: id } of readEventStream(body)) {
          seen.push({ name, id, data: JSON.parse(data) });
          for (const look of waiting) look();
        }
      }
    } catch (error) {
      if (!leaving.signal.aborted) throw error;
    }
  })();
  ended.catch(() => {});
  return {
    response,
    seen,
    ended,
    leave: () => leaving.abort(),
    next: (fits) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = seen.find(fits);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        ended.then(
          () => reject(new Error(`the stream ended after ${seen.map((event) => event.name).join(', ')}`)),
          reject,
        );
      }),
  };
}

/** All text that came, put together as a client does it. */
export function toText(events: SeenEvent[]): string[] {
  const texts: string[] = [];
  for (const { name, data } of events) {
    if (name === 'snapshot') texts.length = 0;
    if (name !== 'segments') continue;
    texts.length = Math.min(texts.length, data.from);
    for (const segment of data.segments) texts[segment.id] = segment.text;
  }
  return texts;
}

/** The events of an answer, as they come. */
export async function* readEvents({ body }: Response): AsyncGenerator<{ name: string; data: unknown }> {
  if (!body) return;
  for await (const { name, data } of readEventStream(body)) yield { name, data: JSON.parse(data) };
}
