import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import express from 'express';
import { expect, test } from 'vitest';
import type { Authenticator } from '../src/auth/authenticate.ts';
import { addEventRoute } from '../src/lectures/event-route.ts';
import type { EventStreams } from '../src/lectures/event-streams.ts';
import type { LectureReader } from '../src/lectures/lecture-reader.ts';

test('the stream of a member ends soon after the course was taken from them', async () => {
  let isMember = true;
  const app = express();
  app.use((_req, res, next) => {
    res.locals.owner = 'bob';
    next();
  });
  addEventRoute(app, {
    streams: {
      findResume: async () => null,
      follow: async (_record: LectureRecord, open: Parameters<EventStreams['follow']>[1]) => {
        const { signal } = open('followed');
        await once(signal, 'abort');
      },
    } as unknown as EventStreams,
    reader: {
      readRecord: async () => {
        if (isMember) return { id: 'x', owner: 'ada' };
        throw new AppError('not_found', 'There is no such lecture.');
      },
    } as unknown as LectureReader,
    auth: { endWithCredential: () => {} } as unknown as Authenticator,
    recheckMs: 5,
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/lectures/x/events`);
    expect(response.status).toBe(200);
    isMember = false;
    await expect(response.text()).rejects.toThrow();
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
