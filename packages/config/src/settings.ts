import { parseModelReference } from '@studymate/contracts/model-reference';
import { modelDevices, modelFamilies, speechEngines } from '@studymate/contracts/models';
import { z } from 'zod';
import { redisSettings } from './redis-settings.ts';
import { boolean, hasCredentials, httpUrl, type Setting, setting } from './setting.ts';
import { storeSettings } from './store-settings.ts';
import { tracingSettings } from './tracing-settings.ts';

/**
 * Every setting: its form, its default and what it does. `.env.example` and docs/configuration.md are tested
 * against this table. All values come as text; an empty text counts as not given.
 */
const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'give a whole number')
    .transform(Number)
    .refine((n) => n >= min && n <= max, `give a number from ${min} to ${max}`);
/** true: every family; false or nothing: none; else a list with commas. */
const families = z.string().transform((text, context) => {
  const given = boolean.safeParse(text);
  if (text === '' || given.success) return given.data ? [...modelFamilies] : [];
  const names = text.split(',').map((name) => name.trim());
  const known = modelFamilies.filter((family) => names.includes(family));
  if (names.every((name) => known.some((family) => family === name))) return known;
  context.addIssue({ code: 'custom', message: `give true, false, or a list of ${modelFamilies.join(', ')}` });
  return z.NEVER;
});
const modelReference = z.string().superRefine((text, context) => {
  if (text === '') return;
  try {
    parseModelReference(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});
/** Origins as browsers send them: scheme, host and port, and nothing else. */
const origins = z.string().transform((text, context) => {
  const list = text
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  const isOrigin = (origin: string) =>
    /^https?:[^*]+$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin;
  if (list.every(isOrigin)) return [...new Set(list)];
  context.addIssue({ code: 'custom', message: 'give origins with commas between them, such as https://study.example' });
  return z.NEVER;
});

export const settings = {
  PORT: setting(integer(0, 65_535), '3000', 'Port of the public API; 0 takes a free one.'),
  HOST: setting(z.string().min(1), '127.0.0.1', 'Address the public API listens on.'),
  INTERNAL_PORT: setting(
    integer(0, 65_534),
    '9464',
    "Port of the API's internal listener (/metrics, /queues). Never publish it.",
  ),
  WORKER_INTERNAL_PORT: setting(
    z.union([z.literal('').transform(() => null), integer(0, 65_535)], 'give a whole number from 0 to 65535'),
    '',
    "Port of the worker's internal listener (/metrics, /health/ready); without it, the one after INTERNAL_PORT.",
  ),
  INTERNAL_HOST: setting(z.string().min(1), '127.0.0.1', 'Address the internal listeners listen on.'),
  DATA_DIR: setting(
    z.string().min(1),
    './data',
    'Folder of the blob store: media, records, artifacts. With STORE=s3, of local copies and downloaded models.',
  ),
  ...storeSettings,
  ...redisSettings,
  CLIP_CACHE_SECONDS: setting(
    integer(0, 604_800),
    '3600',
    'How long the answer to a short clip is kept for when its owner sends the same clip again; 0: not at all.',
  ),
  SUMMARY_CACHE_SECONDS: setting(
    integer(0, 604_800),
    '3600',
    'How long a streamed summary is kept for when its owner sends the same text again; 0: not at all.',
  ),
  TEXT_CACHE_SECONDS: setting(
    integer(0, 604_800),
    '300',
    'How long topics, chapters and summaries of a text are kept for when its owner sends the same text again; 0: not at all.',
  ),
  BREAKER_FAILURES: setting(
    integer(1, 1_000),
    '5',
    'After so many failures in a row the queue, the store or the server of LLM_BASE_URL is not asked for a while.',
  ),
  BREAKER_OPEN_SECONDS: setting(
    integer(1, 3_600),
    '60',
    'How long it is not asked then, unless it is found to answer before; requests are refused at once meanwhile, or done without it.',
  ),
  LLM_BASE_URL: setting(
    z.union([
      z.literal(''),
      z
        .url({ protocol: /^https?$/, error: 'give an address such as http://127.0.0.1:11434/v1' })
        .refine((text) => !hasCredentials(text), 'leave user and password out of the address; LLM_API_KEY takes a key'),
    ]),
    '',
    "A server with OpenAI's /chat/completions, which writes streamed summaries, summaries of lectures and answers to questions; it is sent what was said. Without it they are sentences and passages.",
  ),
  LLM_API_KEY: setting(
    z.string().regex(/^[!-~]*$/, 'give a key without spaces'),
    '',
    'Key for that server; sent to LLM_BASE_URL alone.',
  ),
  LLM_MODEL: setting(z.string().max(200), '', 'The model of that server; needed with LLM_BASE_URL.'),
  LLM_STALL_SECONDS: setting(
    integer(1, 120),
    '10',
    'How long that server may send nothing before what needs no language model is given instead; at most 120. Summaries of lectures wait 90 s for its first word.',
  ),
  CALLBACK_SECRET: setting(
    z.string().regex(/^([!-~]{16,200})?$/, 'give 16 to 200 characters without spaces'),
    '',
    'Signs what is sent to the callbackUrl of a lecture; without it no callbackUrl is taken.',
  ),
  CALLBACK_ALLOW_PRIVATE: setting(
    boolean,
    'false',
    'Allows callbacks to addresses in private networks and on this machine. Whoever may upload can then reach what is there.',
  ),
  QUEUE_PREFIX: setting(
    z.string().regex(/^[\w{}-]{1,40}$/, 'give up to 40 letters, digits, "_", "-", "{", "}"'),
    '{sm}',
    'Prefix of all our keys in Redis; the braces keep them in one slot of a cluster.',
  ),
  AUTH: setting(
    z.enum(['off', 'keys', 'jwt'], 'give "off", "keys" or "jwt"'),
    'off',
    'Who may call the API: off, everybody who reaches it; keys, who sends a key (npm run studymate -- keys create); jwt, who sends a signed token of another service.',
  ),
  JWT_SECRET: setting(
    z.string().refine((text) => text === '' || Buffer.byteLength(text) >= 32, 'give at least 32 bytes'),
    '',
    'AUTH=jwt: the secret that tokens are signed with (HS256), at least 32 bytes. Either this or JWT_JWKS_URL.',
  ),
  JWT_JWKS_URL: setting(
    z.union(
      [z.literal(''), httpUrl],
      'give an address such as https://id.example/jwks.json, without user and password',
    ),
    '',
    'AUTH=jwt: where the public keys are that tokens are signed with (a JSON Web Key Set).',
  ),
  JWT_ISSUER: setting(z.string(), '', 'AUTH=jwt: what `iss` of a token must be. Needed with JWT_JWKS_URL.'),
  JWT_AUDIENCE: setting(
    z.string(),
    '',
    'AUTH=jwt: what `aud` of a token must be, or have among others. Needed with JWT_JWKS_URL.',
  ),
  JWT_OWNER_CLAIM: setting(
    z.string().regex(/^[\w:./-]{1,200}$/, 'give the name of a claim, such as sub'),
    'sub',
    'AUTH=jwt: the claim of a token that names the owner.',
  ),
  ALLOW_ANONYMOUS: setting(
    boolean,
    'false',
    'Allows a HOST other than loopback although AUTH is off. Everyone who reaches the port then sees every lecture.',
  ),
  RETENTION_DAYS: setting(
    integer(0, 36_500),
    '0',
    'Lectures that were made so many days ago are deleted once their work has ended; 0: none is.',
  ),
  MAX_UPLOAD_BYTES: setting(integer(1, 2 ** 40), '4294967296', 'Largest recording that is taken, in bytes.'),
  MAX_UNFINISHED_UPLOADS_PER_OWNER: setting(
    integer(0, 1_000_000),
    '100',
    'Resumable uploads of one owner that are no lecture yet; a further one is refused (429). 0: no limit.',
  ),
  UPLOAD_TTL_SECONDS: setting(
    integer(1, 2_592_000),
    '86400',
    'How long a resumable upload that is no lecture yet is kept after its last byte.',
  ),
  MAX_MEDIA_SECONDS: setting(integer(1, 604_800), '28800', 'Longest recording that is taken, in seconds.'),
  MAX_ACTIVE_LECTURES: setting(
    integer(0, 1_000_000),
    '1000',
    'Unfinished lectures of all owners; a further upload is refused (429) until one has ended. 0: no limit.',
  ),
  MAX_ACTIVE_LECTURES_PER_OWNER: setting(
    integer(0, 1_000_000),
    '200',
    'Unfinished lectures of one owner; a further upload is refused (429) until one has ended. 0: no limit.',
  ),
  MAX_WAITING_REQUESTS: setting(
    integer(0, 1_000_000),
    '64',
    'Clips and texts that wait for an answer or are being answered; a further one is refused (429). 0: no limit.',
  ),
  SEARCH_MEMORY_BYTES: setting(
    integer(2 ** 20, 2 ** 36),
    '134217728',
    'Memory of one API copy for the search indexes of the owners that search; 1,000 hours of lectures take about 80 MB.',
  ),
  MAX_WAITING_REQUESTS_PER_OWNER: setting(
    integer(0, 1_000_000),
    '16',
    'Of these, those of one owner (with AUTH other than off); a further one is refused (429). 0: no limit.',
  ),
  RATE_LIMIT: setting(boolean, 'on', 'off: no limits on how many requests come in a minute, for measurements.'),
  RATE_LIMIT_PER_ADDRESS: setting(
    integer(0, 10_000_000),
    '3000',
    'Requests a minute from one address, over all copies of the API; a further one is refused (429). 0: no limit.',
  ),
  RATE_LIMIT_PER_OWNER: setting(
    integer(0, 10_000_000),
    '1200',
    'Requests a minute of one owner (with AUTH other than off); a further one is refused (429). 0: no limit.',
  ),
  CORS_ORIGINS: setting(
    origins,
    '',
    'Pages of other origins that may call the API from a browser, with commas between them; without it none may.',
  ),
  FFMPEG_PATH: setting(z.string().min(1), 'ffmpeg', 'The ffmpeg program.'),
  FFPROBE_PATH: setting(z.string().min(1), 'ffprobe', 'The ffprobe program.'),
  MODELS_DIR: setting(z.string(), '', 'Folder with model folders that take precedence over the bundled ones.'),
  WHISPER_ENGINE: setting(
    z.enum(speechEngines, `give one of ${speechEngines.join(', ')}`),
    'onnx',
    'What transcribes: onnx, transformers, or whisper-node (which npm run build:whisper-node must have built).',
  ),
  WHISPER_MODEL: setting(
    modelReference,
    '',
    'The Whisper model: a folder of MODELS_DIR, a bundled one (without it, that of the engine), or a model of the hub at a revision (owner/name@40 hex digits).',
  ),
  HUB_URL: setting(
    z
      .url({ protocol: /^https?$/, error: 'give an address such as https://huggingface.co' })
      .refine((text) => !hasCredentials(text), 'leave user and password out of the address; HF_TOKEN takes a token'),
    'https://huggingface.co',
    'The hub that models named owner/name@revision are downloaded from, once.',
  ),
  HF_TOKEN: setting(
    z.string().regex(/^[!-~]*$/, 'give a token without spaces'),
    '',
    'Token for models that the hub shows only to those who may read them; sent to HUB_URL alone.',
  ),
  MODEL_CACHE_DIR: setting(z.string(), '', 'Folder for downloaded models; without it, models in DATA_DIR.'),
  WORKER_FAMILIES: setting(
    z.string().transform((text, context) => {
      const names = text.split(',').map((name) => name.trim());
      const known = modelFamilies.filter((family) => names.includes(family));
      if (text !== '' && names.every((name) => known.some((family) => family === name))) return known;
      context.addIssue({ code: 'custom', message: `give ${modelFamilies.join(', ')}, or one of them` });
      return z.NEVER;
    }),
    'speech,text',
    'What a worker does: speech, cutting and transcribing; text, assembling, study material and short texts. Each must be done by some worker.',
  ),
  MODEL_DEVICE: setting(
    z.enum(modelDevices, `give one of ${modelDevices.join(', ')}`),
    'cpu',
    'What Whisper runs on with WHISPER_ENGINE=onnx: cpu, or cuda, an NVIDIA GPU. Where that cannot be, the worker does not start.',
  ),
  PRELOAD_MODELS: setting(boolean, 'false', 'Loads and warms every model before the worker says it is ready.'),
  LAZY_LOADING: setting(boolean, 'true', 'false is another way of saying PRELOAD_MODELS=true.'),
  KEEP_WARM: setting(
    families,
    'false',
    'Models (true, or a list of speech, text) that are loaded soon after the start, never unloaded, and loaded again after a crash.',
  ),
  PREDICTIVE_WARMING: setting(
    boolean,
    'false',
    'Loads a model five minutes before the hours in which the last seven days used it, and keeps it until they are over.',
  ),
  MODEL_TTL_SECONDS: setting(
    integer(0, 86_400),
    '300',
    'A model unused for so long is unloaded and its memory given back; 0 keeps it for good.',
  ),
  MODEL_MEMORY_BYTES: setting(
    integer(0, 2 ** 40),
    '0',
    'What all models of a worker may take together; one that would be more is not loaded (model_too_large). 0: what the machine has.',
  ),
  MODEL_THREADS: setting(integer(0, 64), '0', 'Threads of each model process; 0: one for each core, at most 4.'),
  SPEECH_PROCESSES: setting(
    integer(0, 64),
    '0',
    'Speech model processes that one worker may have, each loaded once the others are busy; 0: as many as the cores have room for with their threads, at most 8.',
  ),
  SHUTDOWN_TIMEOUT_SECONDS: setting(integer(1, 600), '20', 'How long a stopping process may take to finish its work.'),
  LOG_LEVEL: setting(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']), 'info', 'How much is logged.'),
  ...tracingSettings,
} as const satisfies Record<string, Setting<z.ZodType>>;

export type SettingName = keyof typeof settings;
export type SettingValues = { [K in SettingName]: z.output<(typeof settings)[K]['schema']> };
