/** One event of a `text/event-stream` body. */
export interface ServerSentEvent {
  /** "message" when the server gave no name. */
  name: string;
  data: string;
  /** The last id that the server has sent so far, or null. */
  lastEventId: string | null;
}

export interface EventStreamOptions {
  /** Called when the server says how long to wait before coming back. */
  onRetry?: (retryMs: number) => void;
  /** Called for every piece that comes, comments included: the connection lives. */
  onActivity?: () => void;
}

/** An event larger than this is not one of ours. */
const maxEventCharacters = 32 * 1024 * 1024;

/**
 * Reads a body of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). An event that
 * is cut off in the middle is dropped, as the standard says.
 */
export async function* readEventStream(
  body: ReadableStream<Uint8Array>,
  options: EventStreamOptions = {},
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const reader = body.getReader();
  // Drops a byte order mark at the beginning by itself.
  const decoder = new TextDecoder();
  let rest = '';
  let name = '';
  let data: string[] = [];
  let size = 0;
  let lastEventId: string | null = null;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      options.onActivity?.();
      rest += decoder.decode(value, { stream: true });
      // A CR at the very end may be half of a CRLF.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      if (rest.length + size > maxEventCharacters) throw new Error('The event is too large.');
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) yield { name: name || 'message', data: data.join('\n'), lastEventId };
          name = '';
          data = [];
          size = 0;
          continue;
        }
        const colon = line.indexOf(':');
        const field = colon === -1 ? line : line.slice(0, colon);
        const text = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
        if (field === 'data') {
          data.push(text);
          size += text.length;
        } else if (field === 'event') name = text;
        else if (field === 'id' && !text.includes('\0')) lastEventId = text;
        else if (field === 'retry' && /^\d+$/.test(text)) options.onRetry?.(Number(text));
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
