import { request } from 'node:http';
import type { Lecture } from '@studymate/contracts/lecture';
import { until } from '../support/until.ts';
import { listFiles } from './checks.ts';
import type { Round, Scenario } from './scenario.ts';

interface HalfUpload {
  /** Sends the rest. @returns the API's answer */
  finish(): Promise<{ status: number; body: unknown }>;
}

/** Sends half of a file, and waits until the API has begun to write it. */
async function uploadHalf(round: Round): Promise<HalfUpload> {
  const { system } = round;
  const file = await round.makeFile('long');
  const form = new FormData();
  form.append('file', file);
  const whole = new Response(form);
  const type = whole.headers.get('content-type') ?? '';
  const body = Buffer.from(await whole.arrayBuffer());
  const half = Math.floor(body.length / 2);
  const sending = request(`${system.baseUrl}/api/v1/lectures`, {
    method: 'POST',
    headers: { 'content-type': type, 'content-length': body.length },
    agent: false,
  });
  const answer = new Promise<{ status: number; body: unknown }>((resolve, reject) => {
    sending.once('error', reject);
    sending.once('response', async (response) => {
      try {
        const parts: Buffer[] = [];
        for await (const part of response) parts.push(part);
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(parts).toString()) });
      } catch (error) {
        reject(error);
      }
    });
  });
  // A connection that is cut while nobody waits for the answer is what some of these scenarios are about.
  answer.catch(() => {});
  sending.write(body.subarray(0, half));
  await until('the beginning of the upload in the store', async () => {
    const files = await listFiles(system.dataDir);
    return files.some((name) => name.startsWith('~tmp/') && name.includes(String(system.api().pid)));
  });
  return {
    finish() {
      sending.end(body.subarray(half));
      return answer;
    },
  };
}

const killedInUpload: Scenario = {
  name: 'api-killed-in-upload',
  fault: 'kill -9 of the API in mid-upload, started again; the client sends the file once more',
  async run(round) {
    const { system } = round;
    const upload = await uploadHalf(round);
    system.api().signal('SIGKILL');
    await system.api().exited;
    const startMs = performance.now();
    const failed = await upload.finish().then(
      () => false,
      () => true,
    );
    if (!failed) throw new Error('an upload was answered by an API that had been killed');
    await system.startApi();
    const lecture = await round.upload('short');
    await lecture.until('progress', (event) => event.type === 'stage' || event.type === 'segments');
    round.recovered((performance.now() - startMs) / 1_000);
  },
};

const killedInStream: Scenario = {
  name: 'api-killed-in-stream',
  fault: 'kill -9 of the API while a client follows, started again; until the client has the next event',
  async run(round) {
    const { system } = round;
    const lecture = await round.upload('long');
    await lecture.untilText();
    const { reconnects } = lecture;
    system.api().signal('SIGKILL');
    await system.api().exited;
    const startMs = performance.now();
    // What had come before the connection broke is read after the API has died.
    await until('the loss of the connection', () => lecture.reconnects > reconnects, { everyMs: 1 });
    const { eventCount } = lecture;
    await system.startApi();
    await until('the next event', () => lecture.eventCount > eventCount, { everyMs: 5 });
    round.recovered((performance.now() - startMs) / 1_000);
  },
};

const toldToStopInUpload: Scenario = {
  name: 'api-told-to-stop-in-upload',
  fault: 'SIGTERM of the API in mid-upload, which it takes to its end; started again',
  async run(round) {
    const { system } = round;
    const upload = await uploadHalf(round);
    const stopping = system.api();
    stopping.signal('SIGTERM');
    await until('an API that takes no more connections', async () => {
      return fetch(`${system.baseUrl}/health/fast`, { headers: { connection: 'close' } }).then(
        () => false,
        () => true,
      );
    });
    const { status, body } = await upload.finish();
    if (status !== 202) throw new Error(`the upload was answered with ${status} ${JSON.stringify(body)}`);
    const how = await stopping.exited;
    if (how !== 'exit status 0') throw new Error(`the API was told to stop and ended with ${how}`);
    await system.startApi();
    round.follow((body as Lecture).id);
  },
};

export const apiScenarios: readonly Scenario[] = [killedInUpload, killedInStream, toldToStopInUpload];
