import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError, toAppError } from '@studymate/contracts/errors';
import { hubFolderName, type ModelReference, parseModelReference } from '@studymate/contracts/model-reference';
import { createHubClient } from './hub-client.ts';
import { type DownloadLimits, type DownloadProgress, defaultDownloadLimits, downloadModel } from './hub-download.ts';
import { identifyWeights } from './identify-weights.ts';
import { verifyModelFolder } from './weights.ts';
import { whisperFiles } from './whisper-files.ts';

export interface PreparedModel {
  folder: string;
  /** Name and weights, for records: `whisper-base#1a2b3c4d`. */
  weightsName: string;
}

/**
 * Where weights come from, by what a setting names: a folder of MODELS_DIR, a bundled one, or a hub's model at a
 * revision, which is downloaded when it is first prepared.
 */
export interface ModelStore {
  /**
   * The folder of a model that is here already; nothing is downloaded.
   * @throws AppError `model_missing`, saying where it was looked for and what to do
   */
  find(name: string): Promise<string>;
  /**
   * Has a model here, whole and checked.
   * @throws AppError as `find`; `model_damaged`, `model_too_large`, `model_unreachable`, `storage_full`, `cancelled`
   */
  prepare(name: string, signal: AbortSignal): Promise<PreparedModel>;
  /**
   * Name and weights of a model as they are here now; of one that is still to be downloaded, a name that no record has.
   * @throws AppError `model_missing`, `model_damaged`
   */
  weightsName(name: string): Promise<string>;
}

export interface ModelStoreDeps {
  /** Folder of model folders that come before the bundled ones, or null. */
  modelsDir: string | null;
  /** Where downloaded models are kept. */
  cacheDir: string;
  /** Where stamps of verified weights are kept. */
  stampDir: string;
  hubUrl: string;
  hubToken: string | null;
  /** Folder of a bundled model package, or null when it is not installed. */
  findBundled: (modelName: string) => string | null;
  onDownload?: (name: string, progress: DownloadProgress) => void;
  limits?: DownloadLimits;
}

/** Without a byte for so long, a connection to the hub counts as broken. */
const idleTimeoutMs = 30_000;

export function createModelStore(deps: ModelStoreDeps): ModelStore {
  const { modelsDir, cacheDir, stampDir, hubUrl } = deps;

  const foldersOf = (reference: ModelReference): string[] => {
    const name = reference.kind === 'hub' ? hubFolderName(reference) : reference.name;
    const own = modelsDir ? [path.join(modelsDir, name)] : [];
    if (reference.kind === 'hub') return [...own, path.join(cacheDir, name)];
    const bundled = deps.findBundled(name);
    return bundled ? [...own, bundled] : own;
  };

  const findFolder = async (reference: ModelReference): Promise<string | null> => {
    for (const folder of foldersOf(reference)) {
      const found = await stat(folder).catch(() => null);
      if (found?.isDirectory()) return folder;
    }
    return null;
  };

  const missing = async (name: string, reference: ModelReference): Promise<AppError> => {
    if (reference.kind === 'hub') return new AppError('model_missing', `${name} is not here yet. ${helpOffline(name)}`);
    const places = [...(modelsDir ? [modelsDir] : []), 'the bundled models'].join(', ');
    const others = modelsDir ? await readdir(modelsDir).catch(() => []) : [];
    const known = others.length > 0 ? ` In ${modelsDir} there are: ${others.sort().slice(0, 20).join(', ')}.` : '';
    return new AppError('model_missing', `The model "${name}" was not found. Looked in: ${places}.${known}`);
  };

  const helpOffline = (name: string): string =>
    `Where ${hubUrl} can be reached, "npm run studymate -- fetch-model ${name}" downloads it and says into which folder; ` +
    `copy that folder to ${cacheDir}${modelsDir ? `, or to ${modelsDir}` : ''}.`;

  const fetchFromHub = async (
    name: string,
    reference: Extract<ModelReference, { kind: 'hub' }>,
    signal: AbortSignal,
  ): Promise<string> => {
    const folder = path.join(cacheDir, hubFolderName(reference));
    const client = createHubClient({ hubUrl, token: deps.hubToken, model: reference, idleTimeoutMs });
    await downloadModel({
      client,
      name,
      folder,
      wanted: whisperFiles,
      limits: deps.limits ?? defaultDownloadLimits,
      onProgress: (progress) => deps.onDownload?.(name, progress),
      signal,
    }).catch((thrown: unknown) => {
      const error = toAppError(thrown);
      if (error.code !== 'model_unreachable') throw thrown;
      const message = `${name} could not be downloaded: ${error.message} ${helpOffline(name)}`;
      throw new AppError('model_unreachable', message, { cause: error });
    });
    return folder;
  };

  const nameOf = (reference: ModelReference): string =>
    reference.kind === 'hub' ? `${reference.owner}/${reference.name}` : reference.name;

  return {
    async find(name) {
      const reference = parseModelReference(name);
      const folder = await findFolder(reference);
      if (folder === null) throw await missing(name, reference);
      return folder;
    },
    async prepare(name, signal) {
      const reference = parseModelReference(name);
      let folder = await findFolder(reference);
      if (folder === null) {
        if (reference.kind === 'folder') throw await missing(name, reference);
        folder = await fetchFromHub(name, reference, signal);
      }
      await verifyModelFolder(folder, stampDir);
      return { folder, weightsName: `${nameOf(reference)}#${await identifyWeights(folder, stampDir)}` };
    },
    async weightsName(name) {
      const reference = parseModelReference(name);
      const folder = await findFolder(reference);
      if (folder) return `${nameOf(reference)}#${await identifyWeights(folder, stampDir)}`;
      if (reference.kind === 'hub') return `${nameOf(reference)}#none`;
      throw await missing(name, reference);
    },
  };
}
