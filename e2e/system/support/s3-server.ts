import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { S3Place } from '@studymate/contracts/places';
import { preparePython } from '../../support/python-environment.ts';
import { rootDir } from '../../support/running-system.ts';

export interface S3Server {
  /** Of its one bucket, which is empty at first. */
  options: S3Place;
  /** The same as settings of API and worker. */
  env: Record<string, string>;
  close(): Promise<void>;
}

/**
 * moto's S3 server, from PyPI, with a bucket and a user of its own; it checks every signature.
 * @returns an Error that says what is missing where it cannot be had
 */
export async function startS3Server(): Promise<S3Server | Error> {
  const sources = path.join(rootDir, 'e2e/system/s3');
  const cacheDir = path.join(rootDir, 'node_modules/.cache/s3-server');
  const python = await preparePython(cacheDir, path.join(sources, 'requirements.txt')).catch((error: Error) => error);
  if (python instanceof Error) return python;
  const bucket = 'studymate-test';
  const child = spawn(path.join(python, 'bin/python'), [path.join(sources, 'serve.py'), bucket], {
    env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  let said = '';
  child.stderr.on('data', (part) => {
    said = (said + part).slice(-4_000);
  });
  const { value, done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (done) throw new Error(`the S3 server ended: ${said}`);
  const { port, accessKeyId, secretAccessKey } = JSON.parse(value);
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    options: {
      ...{ endpoint, region: 'us-east-1', bucket, prefix: '', accessKeyId, secretAccessKey },
      sessionToken: null,
      pathStyle: true,
    },
    env: {
      STORE: 's3',
      S3_BUCKET: bucket,
      S3_ENDPOINT: endpoint,
      S3_ACCESS_KEY_ID: accessKeyId,
      S3_SECRET_ACCESS_KEY: secretAccessKey,
    },
    async close() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
