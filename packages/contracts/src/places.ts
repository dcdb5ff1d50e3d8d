/** Where the services are that the apps talk to: what the configuration says, and what those who connect are told. */

/** A Redis, and how to find it. */
export interface RedisPlace {
  /** With sentinels or a cluster, of it only scheme, user, password and database. */
  url: string;
  /** PEM file with the certificate of the authority that a `rediss://` server is known by; null: those that Node knows. */
  caFile?: string | null;
  /** They say which Redis is the primary. */
  sentinels?: { nodes: RedisNode[]; name: string; password: string | null } | null;
  clusterNodes?: RedisNode[] | null;
}

export interface RedisNode {
  host: string;
  port: number;
}

/** A bucket that speaks S3, and who we are there. */
export interface S3Place {
  /** Without a slash at its end. */
  endpoint: string;
  region: string;
  bucket: string;
  /** Before all our keys: empty, or ends in "/". */
  prefix: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Null: the keys are lasting ones. */
  sessionToken: string | null;
  /** The bucket is the first part of the path; else it is the first part of the host's name. */
  pathStyle: boolean;
}

/** Which traces are kept, by the names of the OpenTelemetry specification (`OTEL_TRACES_SAMPLER`). */
export const traceSamplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type TraceSampler = (typeof traceSamplers)[number];

/** A collector of traces that speaks OTLP over HTTP. */
export interface CollectorPlace {
  /** Without `/v1/traces` and without a slash at its end. */
  endpoint: string;
  /** Sent with each request; may hold a key. */
  headers: Record<string, string>;
  /** `service.name` of what is sent; null: each kind of process has its own. */
  serviceName: string | null;
  sampler: TraceSampler;
  /** The share of traces that a sampler by ratio keeps, 0 to 1. */
  sampleRatio: number;
}
