import { getPriority, setPriority } from 'node:os';
import type { FromModelProcess, ToModelProcess } from '@studymate/models/protocol';
import { type ModelRuntime, serveModel } from '@studymate/models/serve-model';
import { parseArguments } from './arguments.ts';

/**
 * A model process: holds one family's models and does nothing else. The worker starts it with an IPC channel
 * and ends it with SIGKILL; it ends by itself when the worker is gone.
 */
const options = parseArguments(process.argv[2]);

const niceness = 5;
// The API and the worker answer people; inference takes what they leave. A worker that was started with less priority
// than that stays there: only root may take it back.
if (getPriority() < niceness) setPriority(niceness);
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group; the worker decides when its models end.
process.on('SIGINT', () => {});

async function load(): Promise<ModelRuntime> {
  if (options.family === 'speech') {
    const { createSpeechRuntime } = await import('./speech-runtime.ts');
    const runtime = await createSpeechRuntime(options);
    // The first run of each graph is slower than the others; it belongs to loading.
    const silence = new Int16Array(16_000);
    await runtime.run('vad', { samples: silence, leadSamples: 0 });
    await runtime.run('transcribe-windows', { windows: [silence], language: 'en', wordTimes: true });
    return runtime;
  }
  const { createTextRuntime } = await import('./text-runtime.ts');
  const runtime = await createTextRuntime({ modelDirs: options.modelDirs, threads: options.threads });
  await runtime.run('embed', { texts: ['warm'] });
  return runtime;
}

await serveModel({
  load,
  memoryBytes: () => process.memoryUsage.rss(),
  channel: {
    send: (message: FromModelProcess) => {
      // The worker may be gone already; the disconnect handler ends this process then.
      if (process.connected) process.send?.(message);
    },
    onMessage: (listener) => process.on('message', (message) => listener(message as ToModelProcess)),
  },
});
