import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningSystem, startSystem } from './support/running-system.ts';

const secret = 'secret-of-this-test';
let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem({ CALLBACK_SECRET: secret, CALLBACK_ALLOW_PRIVATE: 'true' });
});
afterAll(() => system?.close());

test('a lecture with a callbackUrl that fails: the worker tells the receiver, signed', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const told = new Promise<{ signature: string; body: string }>((resolve) => {
      server.on('request', async (req, res) => {
        let body = '';
        for await (const part of req) body += part;
        res.end();
        resolve({ signature: String(req.headers['studymate-signature']), body });
      });
    });
    const callbackUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/done`;
    const file = new File(['no recording'], 'notes.mp3', { type: 'audio/mpeg' });
    const lecture = await system.client.uploadLecture(file, { callbackUrl });
    expect(JSON.stringify(lecture)).not.toContain(callbackUrl);
    const { signature, body } = await told;
    expect(JSON.parse(body)).toMatchObject({ event: 'lecture.failed', lecture: { id: lecture.id, status: 'failed' } });
    const [, time] = /^t=(\d+),/.exec(signature) ?? [];
    const digest = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
    expect(signature).toBe(`t=${time},v1=${digest}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}, 120_000);
