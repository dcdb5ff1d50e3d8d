import { join } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import { exists } from './onnx-session.ts';

/**
 * The forms of weights in which graphs are published on hubs (Xenova, onnx-community), best first for a processor without
 * a graphics card: the name of the form (transformers.js calls it dtype), and how the file's name then ends. Forms with
 * half-precision inputs (fp16, q4f16) are left out: keys and values would have to be of that kind as well.
 */
const forms = [
  ['q8', '_quantized'],
  ['int8', '_int8'],
  ['uint8', '_uint8'],
  ['fp32', ''],
  ['q4', '_q4'],
  ['bnb4', '_bnb4'],
] as const;

export interface FoundGraphs {
  dtype: (typeof forms)[number][0];
  /** Absolute, in the order of the names asked for. */
  paths: string[];
}

/**
 * Finds the files of a model's graphs in its folder `onnx`; all in one form.
 * @param names without form, for example "encoder_model"
 * @throws AppError `model_missing`
 */
export async function findGraphs(folder: string, names: readonly string[]): Promise<FoundGraphs> {
  let half: FoundGraphs | null = null;
  for (const [dtype, ending] of forms) {
    const paths = names.map((name) => join(folder, 'onnx', `${name}${ending}.onnx`));
    const found = await Promise.all(paths.map(exists));
    if (found.every(Boolean)) return { dtype, paths };
    if (found.some(Boolean)) half ??= { dtype, paths };
  }
  // Who opens them says which file is missing.
  if (half) return half;
  const wanted = names.map((name) => `${name}_quantized.onnx`).join(' and ');
  throw new AppError(
    'model_missing',
    `There is no ${wanted} in ${join(folder, 'onnx')}, nor any other form that runs here`,
  );
}
