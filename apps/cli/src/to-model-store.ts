import type { Config } from '@studymate/config/config';
import { createModelStore, type ModelStore, type ModelStoreDeps } from '@studymate/models/model-store';

/** The store of models as the worker has it under the same settings. */
export function toModelStore(
  config: Config['models'],
  deps: Pick<ModelStoreDeps, 'stampDir' | 'findBundled' | 'onDownload'>,
): ModelStore {
  const { dir: modelsDir, cacheDir, hubUrl, hubToken } = config;
  return createModelStore({ modelsDir, cacheDir, hubUrl, hubToken, ...deps });
}
