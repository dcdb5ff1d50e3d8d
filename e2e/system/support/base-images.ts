import { copyFile, cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { rootDir } from '../../support/running-system.ts';
import type { DockerEngine } from './docker-engine.ts';
import { execute } from './execute.ts';

/** Names in docker-compose.yml, by the stage of base-images.Dockerfile that stands in for them. */
export const baseImages = {
  debian: 'debian:bookworm-slim',
  redis: 'redis:7.2-bookworm',
  node: 'node:20.20.2-bookworm-slim',
  prometheus: 'prom/prometheus:v2.53.4',
  alertmanager: 'prom/alertmanager:v0.27.0',
};

/** The npm that the published image of Node 20.20 brings. */
const npmVersion = '10.8.2';

/** What the slim images leave out and set, too: no manuals, no waiting for the disk. */
const slim = [
  '--dpkgopt=path-exclude=/usr/share/doc/*',
  '--dpkgopt=path-exclude=/usr/share/locale/*',
  '--dpkgopt=path-exclude=/usr/share/man/*',
  '--dpkgopt=force-unsafe-io',
  '--aptopt=Acquire::Languages "none"',
];

/**
 * Makes the base images of Debian's packages, this machine's Node and npm's own package.
 * @param dir an empty folder of the caller's
 * @throws Error where the packages cannot be had
 */
export async function makeBaseImages(
  engine: DockerEngine,
  dir: string,
  names: (keyof typeof baseImages)[],
): Promise<void> {
  const debian = execute('setpriv', [
    // It ends with us, and what it mounts with it.
    ...[
      '--pdeathsig',
      'KILL',
      '--',
      'unshare',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child=KILL',
      '--mount-proc',
      '--',
    ],
    ...['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', ...slim, 'bookworm', path.join(dir, 'debian.tar')],
  ]);
  await allOf([debian, prepareNode(dir)]);
  // Debian starts a server when its package is installed.
  await writeFile(path.join(dir, 'policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const dockerfile = path.join(rootDir, 'e2e/system/docker/base-images.Dockerfile');
  await allOf(
    names.map((name) => {
      const what = [`--target=${name}`, `--tag=${baseImages[name]}`, `--file=${dockerfile}`];
      return engine.docker(['build', '--network=host', ...what, dir]);
    }),
  );
}

/** Nothing goes on in the background when this rejects. */
async function allOf(works: Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) if (result.status === 'rejected') throw result.reason;
}

/** Node's program, npm, and how this machine reaches its registry: address and certificates, no keys. */
async function prepareNode(dir: string): Promise<void> {
  await copyFile(process.execPath, path.join(dir, 'node'));
  const cwd = dir;
  await execute('npm', ['pack', '--silent', `npm@${npmVersion}`], { cwd });
  await execute('tar', ['-xzf', `npm-${npmVersion}.tgz`], { cwd });
  const registry = (await execute('npm', ['config', 'get', 'registry'], { cwd })).trim();
  const settings = [`registry=${registry}`];
  const etc = path.join(dir, 'etc');
  await mkdir(etc);
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  if (certificates) {
    await cp(certificates, path.join(etc, 'ca.pem'), { dereference: true });
    settings.push('cafile=/usr/local/etc/ca.pem');
  }
  await writeFile(path.join(etc, 'npmrc'), `${settings.join('\n')}\n`);
}
