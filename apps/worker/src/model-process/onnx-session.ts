import { access, readFile } from 'node:fs/promises';
import { AppError } from '@studymate/contracts/errors';
import type { ModelDevice } from '@studymate/contracts/models';
import type { InferenceSession } from 'onnxruntime-node';

/**
 * Threads that wait for work spin for 20 µs, the length of a gap between two operators, and then sleep. Measured with
 * four lanes of the decoder on two cores, ms a token step, on a free machine and beside other work (load 17): sleeping at
 * once 13.2 and 58, 10 to 100 µs 10.6 and 55 to 67, spinning without end (onnxruntime's default) 10.2 and 94.
 */
export const spinBriefly = { intra_op: { allow_spinning: '1', spin_duration_us: '20' } };

/**
 * One ONNX graph. onnxruntime is imported here and not at the top: it takes about 50 ms that a process
 * which never loads a model should not pay.
 * @param options.device by default the processor
 * @param options.keepsScratch whether memory for intermediate results stays for the next run. Without, Whisper's encoder
 *   takes a tenth longer and leaves 110 MB less behind.
 * @throws AppError `model_missing`, `model_damaged`
 */
export async function openSession(
  path: string,
  threads: number,
  { keepsScratch = true, device = 'cpu' }: { keepsScratch?: boolean; device?: ModelDevice } = {},
): Promise<InferenceSession> {
  await mustExist(path);
  const ort = await import('onnxruntime-node');
  try {
    return await ort.InferenceSession.create(path, {
      // What the GPU has no kernel for is done by the processor.
      executionProviders: device === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      enableCpuMemArena: keepsScratch,
      extra: { session: spinBriefly },
    });
  } catch (cause) {
    throw new AppError('model_damaged', `${path} cannot be loaded`, { cause });
  }
}

/** @throws AppError `model_missing`, `model_damaged` */
export async function readJson<T>(path: string): Promise<T> {
  await mustExist(path);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (cause) {
    throw new AppError('model_damaged', `${path} is not readable JSON`, { cause });
  }
}

/** @throws AppError `model_missing` */
export function requireFolder(modelDirs: Readonly<Record<string, string>>, name: string): string {
  const folder = modelDirs[name];
  if (folder === undefined) throw new AppError('model_missing', `No folder was given for the model "${name}"`);
  return folder;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function mustExist(path: string): Promise<void> {
  if (!(await exists(path))) throw new AppError('model_missing', `There is no ${path}`);
}
