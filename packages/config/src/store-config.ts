import type { S3Place } from '@studymate/contracts/places';
import type { SettingValues } from './settings.ts';

/** @param v settings of which each may be missing because it is wrong by itself */
export function findStoreMistakes(v: Partial<SettingValues>): string[] {
  if (v.STORE === 'file' && v.S3_BUCKET) {
    return [`S3_BUCKET="${v.S3_BUCKET}": is not used with STORE=file; set STORE=s3, or leave it out`];
  }
  if (v.STORE !== 's3') return [];
  const needed = {
    S3_BUCKET: 'name the bucket',
    S3_ACCESS_KEY_ID: 'give the access key',
    S3_SECRET_ACCESS_KEY: 'give the secret of the access key',
  } as const;
  const names = Object.keys(needed) as (keyof typeof needed)[];
  return names.filter((name) => v[name] === '').map((name) => `${name}: is needed with STORE=s3; ${needed[name]}`);
}

export function toS3Config(v: SettingValues): S3Place | null {
  if (v.STORE === 'file') return null;
  const prefix = v.S3_PREFIX.replace(/\/+$/, '');
  return {
    endpoint: v.S3_ENDPOINT.replace(/\/+$/, '') || `https://s3.${v.S3_REGION}.amazonaws.com`,
    region: v.S3_REGION,
    bucket: v.S3_BUCKET,
    prefix: prefix === '' ? '' : `${prefix}/`,
    accessKeyId: v.S3_ACCESS_KEY_ID,
    secretAccessKey: v.S3_SECRET_ACCESS_KEY,
    sessionToken: v.S3_SESSION_TOKEN || null,
    // Names of hosts need certificates and names of their own, which few servers but AWS have; its own is for one label.
    pathStyle: v.S3_FORCE_PATH_STYLE ?? (v.S3_ENDPOINT !== '' || v.S3_BUCKET.includes('.')),
  };
}
