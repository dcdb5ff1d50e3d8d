import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Chat {
  path: string;
  key: string | undefined;
  body: { model: string; messages: { role: string; content: string }[]; stream: boolean };
}

export type Speak = (res: ServerResponse, req: IncomingMessage) => unknown;

/** A server that speaks OpenAI's protocol, or something else, as each test says. */
export interface LanguageModelServer {
  /** For LLM_BASE_URL. */
  baseUrl: string;
  /** What it was asked for. */
  asked: Chat[];
  speak: Speak;
  close(): void;
}

export async function startLanguageModelServer(): Promise<LanguageModelServer> {
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += part;
    started.asked.push({ path: req.url ?? '', key: req.headers.authorization, body: JSON.parse(body) });
    started.speak(res, req);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const started: LanguageModelServer = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`,
    asked: [],
    speak: (res) => res.writeHead(500).end(),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return started;
}

export const beginEvents = (res: ServerResponse) => res.writeHead(200, { 'content-type': 'text/event-stream' });
export const toChatEvent = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ delta: { content }, finish_reason: finish }] })}\n\n`;
/** A whole answer, in pieces of a few characters. */
export const say =
  (text: string): Speak =>
  (res) => {
    beginEvents(res);
    for (const piece of text.match(/[\s\S]{1,5}/gu) ?? []) res.write(toChatEvent(piece));
    res.end(`${toChatEvent('', 'stop')}data: [DONE]\n\n`);
  };
