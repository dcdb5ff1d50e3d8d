import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Reads a stream of server-sent events, connecting again where it left off whenever the connection is lost.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 *
 * @param {object} params
 * @param {string} params.url
 * @param {AbortSignal} params.signal ends the reading
 * @param {number} [params.idleMs] a connection that sends nothing for so long, not even a comment, is given up
 * @returns {AsyncGenerator<{type: string, data: any}>}
 * @throws {Error} when the server refuses (a status that is no 200 or 204), or cannot be reached ten times in a row
 */
export async function* readEvents({ url, signal, idleMs = 60_000 }) {
  let lastEventId = null;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const response = await connect({ url, lastEventId, signal, idleMs });
      // "You have seen everything; do not come again."
      if (response.statusCode === 204) return;
      for await (const event of parseEvents(response)) {
        failures = 0;
        if (event.id !== null) lastEventId = event.id;
        yield { type: event.type, data: JSON.parse(event.data) };
      }
      // The server has closed it: that alone is no failure, but it must not make us ask in a tight loop either.
      failures += 1;
    } catch (error) {
      if (signal.aborted || error.refused) throw error;
      failures += 1;
      if (failures >= 10) throw error;
    }
    await delay(Math.min(5_000, 100 * 2 ** failures), undefined, { signal }).catch(() => {});
  }
}

function connect({ url, lastEventId, signal, idleMs }) {
  const headers = { accept: 'text/event-stream', ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }) };
  return new Promise((resolve, reject) => {
    const asked = http.request(url, { headers, agent: false, signal, timeout: idleMs }, (response) => {
      if (response.statusCode === 200 || response.statusCode === 204) {
        resolve(response);
        return;
      }
      response.resume();
      const refused = response.statusCode < 500 && response.statusCode !== 429;
      reject(Object.assign(new Error(`the event stream answered ${response.statusCode}`), { refused }));
    });
    asked.on('timeout', () => asked.destroy(new Error('the event stream fell silent')));
    asked.on('error', reject);
    asked.end();
  });
}

/** @param {AsyncIterable<Buffer>} chunks @returns {AsyncGenerator<{id: string | null, type: string, data: string}>} */
export async function* parseEvents(chunks) {
  const decoder = new TextDecoder();
  let rest = '';
  let event = { id: null, type: 'message', data: [] };
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    // A lone CR at the end may be the first half of CRLF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (event.data.length > 0) yield { ...event, data: event.data.join('\n') };
        event = { id: null, type: 'message', data: [] };
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'data') event.data.push(value);
      else if (field === 'event') event.type = value;
      else if (field === 'id') event.id = value;
    }
  }
}
