import { fork } from 'node:child_process';
import path from 'node:path';
import { createModelFamily, type ModelFamily } from '@studymate/models/model-family';

/** The built model process for speech by itself, as the worker starts it, without the worker. */
export function createSpeechProcess(rootDir: string, threads: number): ModelFamily {
  const program = path.join(rootDir, 'apps/worker/dist/model-process.js');
  const modelDir = (name: string) => path.join(rootDir, 'models', name);
  const modelDirs = { whisper: modelDir('whisper-base'), vad: modelDir('silero-vad') };
  return createModelFamily({
    family: 'speech',
    verify: async () => {},
    spawn: () =>
      fork(program, [JSON.stringify({ family: 'speech', modelDirs, threads })], { serialization: 'advanced' }),
    idleTtlMs: null,
    keepWarm: false,
    loadTimeoutMs: 60_000,
    onChange: () => {},
  });
}
