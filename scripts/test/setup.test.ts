import { expect, test } from 'vitest';
import { missingEntries } from '../complete-lock.mjs';
import { isInstalled } from '../setup.mjs';

const other = process.platform === 'win32' ? 'linux' : 'win32';
const lock = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b-here': { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] },
    'node_modules/b-there': { version: '1.0.0', optional: true, os: [other], cpu: [process.arch] },
  },
};
const installed = (...names: string[]) => ({
  packages: Object.fromEntries(names.map((name) => [`node_modules/${name}`, { version: '1.0.0' }])),
});

test('node_modules with everything for this system is taken as installed, also without what other systems need', () => {
  expect(isInstalled(lock, installed('a', 'b-here'))).toBe(true);
});

test('node_modules that lacks a package, has another version, or is of another system is not taken as installed', () => {
  expect(isInstalled(lock, installed('b-here'))).toBe(false);
  expect(
    isInstalled(lock, { packages: { ...installed('b-here').packages, 'node_modules/a': { version: '2.0.0' } } }),
  ).toBe(false);
  expect(isInstalled(lock, installed('a', 'b-there'))).toBe(false);
});

test('a lock file that lacks the optional packages of other systems gets them with their system, and nothing else', () => {
  const wants = {
    '@x/tool-darwin-arm64': '1.2.3',
    '@x/tool-linux-x64-musl': '1.2.3',
    '@x/windows-64': '1.2.3',
    'not-of-a-system': '1.0.0',
    '@x/tool-linux-arm64': '^1.0.0',
  };
  const packages = { 'node_modules/tool': { version: '1.2.3', dev: true, optionalDependencies: wants } };
  expect(missingEntries({ packages })).toEqual({
    'node_modules/@x/tool-darwin-arm64': {
      version: '1.2.3',
      cpu: ['arm64'],
      os: ['darwin'],
      dev: true,
      optional: true,
    },
    'node_modules/@x/tool-linux-x64-musl': {
      version: '1.2.3',
      cpu: ['x64'],
      libc: ['musl'],
      os: ['linux'],
      dev: true,
      optional: true,
    },
    'node_modules/@x/windows-64': { version: '1.2.3', cpu: ['x64'], os: ['win32'], dev: true, optional: true },
  });
});
