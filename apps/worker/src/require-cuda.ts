import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '@studymate/config/config';

const provider = 'libonnxruntime_providers_cuda.so';

/**
 * Refuses a GPU that is not there, or that onnxruntime cannot use, before anything is loaded for it.
 * @param deps.runtimeDir the package onnxruntime-node
 * @param deps.root the file system's root
 * @throws ConfigError that says what is missing
 */
export async function requireCuda(deps: { runtimeDir: string; root?: string }): Promise<void> {
  const { runtimeDir, root = '/' } = deps;
  const device = path.join(root, 'dev/nvidiactl');
  const isThere = (file: string) =>
    access(file).then(
      () => true,
      () => false,
    );
  if (!(await isThere(device))) {
    throw new ConfigError([
      `MODEL_DEVICE="cuda": there is no NVIDIA GPU here (${device}); install its driver, give the container the GPU, or set cpu`,
    ]);
  }
  // In bin/<binding's version>/<system>/<processor>, as the package lays it out.
  const files = await readdir(path.join(runtimeDir, 'bin'), { recursive: true }).catch(() => []);
  const here = path.join(process.platform, process.arch, provider);
  if (files.some((file) => file.endsWith(here))) return;
  const fix = `put ${provider} of the same version of onnxruntime, and the CUDA libraries that it names, beside libonnxruntime.so in ${runtimeDir}/bin, or set cpu`;
  throw new ConfigError([`MODEL_DEVICE="cuda": onnxruntime-node comes without what runs on a GPU; ${fix}`]);
}
