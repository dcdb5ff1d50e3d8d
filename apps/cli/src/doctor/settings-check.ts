import type { Config } from '@studymate/config/config';
import type { BlobStore } from '@studymate/storage/blob-store';
import { createKeyStore } from '@studymate/storage/key-store';
import type { Finding } from './check.ts';

const oldestNode = [20, 19] as const;

/** @param version as `process.versions.node` has it */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = oldestNode;
  const isNew = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  if (isNew) return { name: 'node', state: 'ok', message: version };
  return {
    name: 'node',
    state: 'failure',
    message: `this is ${version}`,
    fix: `install Node ${oldestNode.join('.')} or later`,
  };
}

const loopbackHosts = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** Whether those may call the API that shall. @param blobs null where there is no store yet */
export async function checkAccess(config: Config, blobs: BlobStore | null): Promise<Finding> {
  const { auth, host } = config.api;
  if (auth === 'off') {
    if (loopbackHosts.test(host)) return { name: 'access', state: 'ok', message: `AUTH=off, on ${host} alone` };
    return {
      name: 'access',
      state: 'warning',
      message: `AUTH=off on ${host}: everybody who reaches it sees every lecture`,
      fix: 'set AUTH=keys or AUTH=jwt, or let only those reach it who may see everything',
    };
  }
  if (auth === 'jwt') {
    const by = config.api.jwt && 'jwksUrl' in config.api.jwt.source ? config.api.jwt.source.jwksUrl : 'a shared secret';
    return { name: 'access', state: 'ok', message: `AUTH=jwt, tokens are checked by ${by}` };
  }
  const keys = blobs ? await createKeyStore({ blobs }).list() : [];
  const working = keys.filter(({ revokedAt }) => revokedAt === null);
  if (working.length > 0) {
    const owners = new Set(working.map(({ owner }) => owner)).size;
    return { name: 'access', state: 'ok', message: `AUTH=keys, ${working.length} working keys of ${owners} owners` };
  }
  return {
    name: 'access',
    state: 'warning',
    message: 'AUTH=keys, and there is no key that works: nobody can call the API',
    fix: 'npm run studymate -- keys create --owner NAME',
  };
}
