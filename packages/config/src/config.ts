import path from 'node:path';
import type { ModelDevice, ModelFamily, SpeechEngineName } from '@studymate/contracts/models';
import type { CollectorPlace, RedisPlace, S3Place } from '@studymate/contracts/places';
import { findRedisMistakes, toCacheRedis, toRedisConfig } from './redis-config.ts';
import { type SettingName, type SettingValues, settings } from './settings.ts';
import { findStoreMistakes, toS3Config } from './store-config.ts';
import { toTracing } from './tracing-config.ts';

/** Everything an app needs to know, typed. Read-only; passed down from main.ts, never imported. */
export interface Config {
  api: {
    host: string;
    port: number;
    internalHost: string;
    internalPort: number;
    auth: SettingValues['AUTH'];
    /** How tokens are checked; null unless `auth` is jwt. */
    jwt: JwtConfig | null;
    /** Origins whose pages may call the API from a browser. */
    corsOrigins: string[];
  };
  /** `families`: whose jobs it takes. */
  worker: { internalHost: string; internalPort: number; families: ModelFamily[] };
  redis: RedisPlace & { prefix: string };
  /**
   * Of answers to short clips and texts; 0 s: none is kept. `summarySeconds`: of streamed ones. `redis` null: in that of the
   * queue.
   */
  cache: { redis: RedisPlace | null; clipSeconds: number; summarySeconds: number; textSeconds: number };
  breakers: { failures: number; openMs: number };
  /** Writes summaries and answers to questions; null: nobody does. `baseUrl` without a slash at its end. */
  llm: { baseUrl: string; apiKey: string | null; model: string; stallMs: number } | null;
  /** Secret null: no callbacks. */
  callbacks: { secret: string | null; allowPrivate: boolean };
  dataDir: string;
  /** Null: the store is the folder `dataDir`. */
  s3: S3Place | null;
  /** 0: nothing is ever too old. */
  retentionDays: number;
  limits: {
    maxUploadBytes: number;
    maxMediaSeconds: number;
    /** Null: no limit. */
    maxActiveLectures: number | null;
    maxActiveLecturesPerOwner: number | null;
    /** Short requests, on clips and texts. */
    maxWaitingRequests: number | null;
    maxWaitingRequestsPerOwner: number | null;
    /** Requests a minute. */
    maxRequestsPerAddress: number | null;
    maxRequestsPerOwner: number | null;
  };
  search: { memoryBytes: number };
  /** Resumable ones. */
  uploads: {
    ttlMs: number;
    /** Null: no limit. */
    maxUnfinishedPerOwner: number | null;
  };
  media: { ffmpegPath: string; ffprobePath: string };
  models: {
    /** Absolute, or null for the bundled ones only. */
    dir: string | null;
    whisperEngine: SpeechEngineName;
    device: ModelDevice;
    /** As `parseModelReference` reads it. */
    whisperModel: string;
    /** Absolute folder of downloaded models. */
    cacheDir: string;
    /** Without a slash at its end. */
    hubUrl: string;
    /** Null: none is sent. */
    hubToken: string | null;
    preload: boolean;
    /** Families that are never unloaded and loaded again after a crash. */
    keepWarm: ModelFamily[];
    /** Loaded before the hours in which they are usually used. */
    predictiveWarming: boolean;
    /** Milliseconds of idleness before a model is unloaded, or null for never. */
    idleTtlMs: number | null;
    /** Of all model processes of a worker together; null: what the machine has. */
    memoryBytes: number | null;
    /** 0: chosen from the number of cores. */
    threads: number;
    /** 0: as many as the cores have room for. */
    speechProcesses: number;
  };
  shutdownTimeoutMs: number;
  logLevel: SettingValues['LOG_LEVEL'];
  /** Null: nothing is traced. */
  tracing: CollectorPlace | null;
}

/** Tokens are signed with a shared secret, or with one of the keys of a JSON Web Key Set. */
export interface JwtConfig {
  source: { secret: string } | { jwksUrl: string };
  /** Null: not checked. */
  issuer: string | null;
  audience: string | null;
  ownerClaim: string;
}

/** Lists every mistake of the configuration, each with what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly mistakes: string[];
  constructor(mistakes: string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((m) => `  - ${m}`).join('\n')}`,
    );
    this.mistakes = mistakes;
  }
}

/** Values that are not repeated in messages. */
const secrets: ReadonlySet<string> = new Set<SettingName>([
  'JWT_SECRET',
  'HF_TOKEN',
  'CALLBACK_SECRET',
  'LLM_API_KEY',
  'S3_SECRET_ACCESS_KEY',
  'S3_SESSION_TOKEN',
  'REDIS_SENTINEL_PASSWORD',
  'OTEL_EXPORTER_OTLP_HEADERS',
]);

/** For whisper-node the weights have another form. */
const bundledModels: Record<SpeechEngineName, string> = {
  onnx: 'whisper-base',
  transformers: 'whisper-base',
  'whisper-node': 'whisper-tiny.en-ggml',
};

const loopbackHosts = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/**
 * Pure: the same environment gives the same configuration.
 * @throws ConfigError naming all mistakes at once
 */
export function parseConfig(env: Record<string, string | undefined>, workingDir: string): Config {
  const mistakes: string[] = [];
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(settings) as SettingName[]) {
    const { schema, default: fallback } = settings[name];
    const given = env[name]?.trim();
    const result = schema.safeParse(given ? given : fallback);
    if (result.success) values[name] = result.data;
    else
      mistakes.push(
        `${name}${given && secrets.has(name) ? '' : `="${given && withoutPassword(given)}"`}: ${result.error.issues.map((issue) => issue.message).join('; ')}`,
      );
  }
  const v = values as SettingValues;
  if (v.HOST !== undefined && v.AUTH === 'off' && v.ALLOW_ANONYMOUS === false && !loopbackHosts.test(v.HOST)) {
    mistakes.push(
      `HOST="${v.HOST}": without AUTH anyone who reaches this address sees every lecture; use 127.0.0.1, set AUTH=keys or AUTH=jwt, or set ALLOW_ANONYMOUS=true if that is what you want`,
    );
  }
  if (v.AUTH === 'jwt') mistakes.push(...findJwtMistakes(v));
  mistakes.push(...findStoreMistakes(v), ...findRedisMistakes(v));
  if (v.PORT !== 0 && v.PORT !== undefined) {
    for (const name of ['INTERNAL_PORT', 'WORKER_INTERNAL_PORT'] as const) {
      if (v[name] === v.PORT) mistakes.push(`${name}="${v[name]}": is the same as PORT; give another`);
    }
  }
  if (v.INTERNAL_PORT !== 0 && v.INTERNAL_PORT !== undefined && v.INTERNAL_PORT === v.WORKER_INTERNAL_PORT) {
    mistakes.push(`WORKER_INTERNAL_PORT="${v.WORKER_INTERNAL_PORT}": is the same as INTERNAL_PORT; give another`);
  }
  if (v.LLM_BASE_URL && v.LLM_MODEL === '') mistakes.push('LLM_MODEL="": name a model of the server of LLM_BASE_URL');
  if (v.MODEL_DEVICE === 'cuda' && v.WHISPER_ENGINE !== undefined && v.WHISPER_ENGINE !== 'onnx') {
    mistakes.push(
      `MODEL_DEVICE="cuda": WHISPER_ENGINE=${v.WHISPER_ENGINE} runs on the processor; use onnx, or leave it out`,
    );
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return toConfig(v, workingDir);
}

/** @param v settings of which each may be missing because it is wrong by itself */
function findJwtMistakes(v: Partial<SettingValues>): string[] {
  const { JWT_SECRET: secret, JWT_JWKS_URL: url } = v;
  if (secret === undefined || url === undefined) return [];
  if (secret === '' && url === '') return ['AUTH="jwt": give JWT_SECRET or JWT_JWKS_URL, by which tokens are checked'];
  if (secret !== '' && url !== '') return ['JWT_SECRET: is given beside JWT_JWKS_URL; give one of the two'];
  if (url === '') return [];
  // A key set signs tokens for many services: without these, theirs would be taken here.
  return (['JWT_ISSUER', 'JWT_AUDIENCE'] as const)
    .filter((name) => v[name] === '')
    .map((name) => `${name}: is needed with JWT_JWKS_URL, or tokens made for other services would be taken`);
}

function toLlm(v: SettingValues): Config['llm'] {
  if (v.LLM_BASE_URL === '') return null;
  const baseUrl = v.LLM_BASE_URL.replace(/\/+$/, '');
  return { baseUrl, apiKey: v.LLM_API_KEY || null, model: v.LLM_MODEL, stallMs: v.LLM_STALL_SECONDS * 1000 };
}

/** Mistakes are printed and logged. */
function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//…@');
}

/** Next to the API's; a free one where the API's is a free one. */
function workerInternalPort(v: SettingValues): number {
  if (v.WORKER_INTERNAL_PORT !== null) return v.WORKER_INTERNAL_PORT;
  return v.INTERNAL_PORT === 0 ? 0 : v.INTERNAL_PORT + 1;
}

function toConfig(v: SettingValues, workingDir: string): Config {
  return {
    api: {
      host: v.HOST,
      port: v.PORT,
      internalHost: v.INTERNAL_HOST,
      internalPort: v.INTERNAL_PORT,
      auth: v.AUTH,
      jwt: v.AUTH === 'jwt' ? toJwtConfig(v) : null,
      corsOrigins: v.CORS_ORIGINS,
    },
    worker: { internalHost: v.INTERNAL_HOST, internalPort: workerInternalPort(v), families: v.WORKER_FAMILIES },
    redis: { ...toRedisConfig(v), prefix: v.QUEUE_PREFIX },
    cache: {
      redis: toCacheRedis(v),
      clipSeconds: v.CLIP_CACHE_SECONDS,
      summarySeconds: v.SUMMARY_CACHE_SECONDS,
      textSeconds: v.TEXT_CACHE_SECONDS,
    },
    breakers: { failures: v.BREAKER_FAILURES, openMs: v.BREAKER_OPEN_SECONDS * 1000 },
    llm: toLlm(v),
    callbacks: { secret: v.CALLBACK_SECRET || null, allowPrivate: v.CALLBACK_ALLOW_PRIVATE },
    dataDir: path.resolve(workingDir, v.DATA_DIR),
    s3: toS3Config(v),
    retentionDays: v.RETENTION_DAYS,
    limits: {
      maxUploadBytes: v.MAX_UPLOAD_BYTES,
      maxMediaSeconds: v.MAX_MEDIA_SECONDS,
      maxActiveLectures: v.MAX_ACTIVE_LECTURES || null,
      maxActiveLecturesPerOwner: v.MAX_ACTIVE_LECTURES_PER_OWNER || null,
      maxWaitingRequests: v.MAX_WAITING_REQUESTS || null,
      maxWaitingRequestsPerOwner: v.MAX_WAITING_REQUESTS_PER_OWNER || null,
      maxRequestsPerAddress: (v.RATE_LIMIT && v.RATE_LIMIT_PER_ADDRESS) || null,
      maxRequestsPerOwner: (v.RATE_LIMIT && v.RATE_LIMIT_PER_OWNER) || null,
    },
    search: { memoryBytes: v.SEARCH_MEMORY_BYTES },
    uploads: {
      ttlMs: v.UPLOAD_TTL_SECONDS * 1000,
      maxUnfinishedPerOwner: v.MAX_UNFINISHED_UPLOADS_PER_OWNER || null,
    },
    media: { ffmpegPath: v.FFMPEG_PATH, ffprobePath: v.FFPROBE_PATH },
    models: {
      dir: v.MODELS_DIR ? path.resolve(workingDir, v.MODELS_DIR) : null,
      whisperEngine: v.WHISPER_ENGINE,
      device: v.MODEL_DEVICE,
      whisperModel: v.WHISPER_MODEL || bundledModels[v.WHISPER_ENGINE],
      cacheDir: v.MODEL_CACHE_DIR
        ? path.resolve(workingDir, v.MODEL_CACHE_DIR)
        : path.resolve(workingDir, v.DATA_DIR, 'models'),
      hubUrl: v.HUB_URL.replace(/\/+$/, ''),
      hubToken: v.HF_TOKEN || null,
      keepWarm: v.KEEP_WARM,
      predictiveWarming: v.PREDICTIVE_WARMING,
      preload: v.PRELOAD_MODELS || !v.LAZY_LOADING,
      idleTtlMs: v.MODEL_TTL_SECONDS === 0 ? null : v.MODEL_TTL_SECONDS * 1000,
      memoryBytes: v.MODEL_MEMORY_BYTES || null,
      threads: v.MODEL_THREADS,
      speechProcesses: v.SPEECH_PROCESSES,
    },
    shutdownTimeoutMs: v.SHUTDOWN_TIMEOUT_SECONDS * 1000,
    logLevel: v.LOG_LEVEL,
    tracing: toTracing(v),
  };
}

function toJwtConfig(v: SettingValues): JwtConfig {
  return {
    source: v.JWT_SECRET === '' ? { jwksUrl: v.JWT_JWKS_URL } : { secret: v.JWT_SECRET },
    issuer: v.JWT_ISSUER || null,
    audience: v.JWT_AUDIENCE || null,
    ownerClaim: v.JWT_OWNER_CLAIM,
  };
}

/** The text of `.env.example`: every setting with its default and what it does. */
export function toEnvExample(): string {
  const blocks = Object.entries(settings).map(([name, s]) => `# ${s.description}\n${name}=${s.default}\n`);
  return `# Every setting of StudyMate with its default. Copy to .env and change what you need.\n\n${blocks.join('\n')}`;
}
