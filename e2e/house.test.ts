import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { settings } from '@studymate/config/settings';
import { errorCatalogue } from '@studymate/contracts/errors';
import { describe, expect, test } from 'vitest';
import { missingEntries } from '../scripts/complete-lock.mjs';

const rootDir = path.resolve(import.meta.dirname, '..');

interface Workspace {
  /** For example "packages/queue". */
  dir: string;
  manifest: {
    name: string;
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
    optionalDependencies?: Record<string, string>;
    peerDependencies?: Record<string, string>;
  };
}

async function readWorkspaces(): Promise<Workspace[]> {
  const found: Workspace[] = [];
  for (const kind of ['apps', 'packages', 'models']) {
    for (const name of await readdir(path.join(rootDir, kind))) {
      const manifestPath = path.join(rootDir, kind, name, 'package.json');
      if (!existsSync(manifestPath)) continue;
      found.push({ dir: `${kind}/${name}`, manifest: JSON.parse(await readFile(manifestPath, 'utf8')) });
    }
  }
  return found;
}

/** Our source files below a folder, relative to the project's root. */
async function readSources(dir: string): Promise<string[]> {
  const absolute = path.join(rootDir, dir);
  if (!existsSync(absolute)) return [];
  const entries = await readdir(absolute, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|tsx|mjs|js)$/.test(entry.name))
    .map((entry) => path.relative(rootDir, path.join(entry.parentPath, entry.name)))
    .filter((file) => !/(^|\/)(node_modules|dist|\.tsbuild|fixtures)\//.test(file));
}

/** What a file imports, statically or dynamically, by the text in quotes. */
async function readImports(file: string): Promise<string[]> {
  const text = await readFile(path.join(rootDir, file), 'utf8');
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire(?:\.resolve)?\s*\(\s*)['"]([^'"\n]+)['"]/g;
  const looksLikeModule = /^(\.{1,2}\/|(node|file|data):|(@[\w.-]+\/)?[\w-][\w.-]*(\/|$))/;
  return [...text.matchAll(pattern)].map((match) => match[1] as string).filter((found) => looksLikeModule.test(found));
}

const workspaces = await readWorkspaces();
const nameOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
const workspaceOf = (specifier: string) => workspaces.find(({ manifest }) => manifest.name === nameOf(specifier));
const mlLibraries =
  /^(onnxruntime|@huggingface\/|@xenova\/|@tensorflow\/|whisper-node|smart-whisper|sherpa-onnx|@napi-rs\/whisper)/;

describe('imports', () => {
  test('of packages reach only contracts, and observability for its types, so they point one way', async () => {
    const wrong: string[] = [];
    for (const { dir } of workspaces.filter((workspace) => workspace.dir.startsWith('packages/'))) {
      for (const file of await readSources(`${dir}/src`)) {
        for (const specifier of await readImports(file)) {
          const target = workspaceOf(specifier)?.dir;
          const allowed = [undefined, dir, 'packages/contracts', 'packages/observability'];
          if (!allowed.includes(target)) wrong.push(`${file} imports ${specifier}`);
          if (dir === 'packages/contracts' && target !== undefined) wrong.push(`${file} imports ${specifier}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('of apps never reach another app', async () => {
    const wrong: string[] = [];
    for (const { dir } of workspaces.filter((workspace) => workspace.dir.startsWith('apps/'))) {
      for (const file of [...(await readSources(`${dir}/src`)), ...(await readSources(`${dir}/test`))]) {
        for (const specifier of await readImports(file)) {
          const target = workspaceOf(specifier)?.dir;
          if (target?.startsWith('apps/') && target !== dir) wrong.push(`${file} imports ${specifier}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('by a path never leave the workspace of the file', async () => {
    const wrong: string[] = [];
    for (const { dir } of workspaces) {
      for (const file of await readSources(`${dir}/src`)) {
        for (const specifier of await readImports(file)) {
          if (!specifier.startsWith('.')) continue;
          const target = path.posix.join(path.posix.dirname(file), specifier);
          if (!target.startsWith(`${dir}/`)) wrong.push(`${file} imports ${specifier}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('of a package are all declared in its own package.json', async () => {
    const wrong: string[] = [];
    for (const { dir, manifest } of workspaces) {
      const declared = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
      for (const file of await readSources(`${dir}/src`)) {
        for (const specifier of await readImports(file)) {
          if (/^(\.|node:|data:|file:)/.test(specifier) || nameOf(specifier) === manifest.name) continue;
          if (!Object.hasOwn(declared, nameOf(specifier))) wrong.push(`${file} imports ${specifier}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

test('machine learning libraries are dependencies of the worker alone', () => {
  const users = workspaces
    .filter(({ manifest }) =>
      Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies }).some(
        (name) => mlLibraries.test(name),
      ),
    )
    .map(({ dir }) => dir);
  expect(users).toEqual(['apps/worker']);
});

test('the environment is read in packages/config and in main files alone', async () => {
  const wrong: string[] = [];
  for (const { dir } of workspaces.filter((workspace) => workspace.dir !== 'packages/config')) {
    for (const file of await readSources(`${dir}/src`)) {
      if (path.basename(file) === 'main.ts') continue;
      if (/\bprocess\s*\.\s*env\b/.test(await readFile(path.join(rootDir, file), 'utf8'))) wrong.push(file);
    }
  }
  expect(wrong).toEqual([]);
});

test('no source file is longer than 400 lines', async () => {
  const long: string[] = [];
  for (const dir of ['apps', 'packages', 'scripts', 'e2e', 'bench']) {
    for (const file of await readSources(dir)) {
      const lines = (await readFile(path.join(rootDir, file), 'utf8')).trimEnd().split('\n').length;
      if (lines > 400) long.push(`${file}: ${lines}`);
    }
  }
  expect(long).toEqual([]);
});

test('every workspace package is among the references that tsc -b checks', async () => {
  const { references } = JSON.parse(await readFile(path.join(rootDir, 'tsconfig.json'), 'utf8'));
  const listed = references.map((reference: { path: string }) => reference.path);
  const expected = workspaces
    .map(({ dir }) => dir)
    .filter((dir) => existsSync(path.join(rootDir, dir, 'tsconfig.json')));
  expect(listed).toEqual(expect.arrayContaining(expected));
});

test('the lock file names the optional packages of every system, which npm ci insists on', async () => {
  const lock = JSON.parse(await readFile(path.join(rootDir, 'package-lock.json'), 'utf8'));
  // When this fails: node scripts/complete-lock.mjs
  expect(Object.keys(missingEntries(lock))).toEqual([]);
});

describe('default weights', () => {
  const models = workspaces.filter((workspace) => workspace.dir.startsWith('models/'));

  test('are four packages', () => {
    expect(models.map(({ dir }) => dir).sort()).toEqual([
      'models/all-MiniLM-L6-v2',
      'models/silero-vad',
      'models/whisper-base',
      'models/whisper-tiny.en-ggml',
    ]);
  });

  test.for(models.map(({ dir }) => dir))(
    '%s has its licence, its origin and checksums that match every file',
    async (dir) => {
      const absolute = path.join(rootDir, dir);
      expect(await readFile(path.join(absolute, 'LICENSE'), 'utf8')).toMatch(/MIT License|Apache License/);
      expect(await readFile(path.join(absolute, 'README.md'), 'utf8')).toMatch(/## Origin/);

      const sums = new Map(
        (await readFile(path.join(absolute, 'SHA256SUMS'), 'utf8'))
          .trim()
          .split('\n')
          .map((line) => line.split(/\s+\*?/) as [string, string])
          .map(([sum, file]) => [file, sum]),
      );
      const files = (await readdir(absolute, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(absolute, path.join(entry.parentPath, entry.name)))
        .filter((file) => !['LICENSE', 'README.md', 'SHA256SUMS', 'package.json'].includes(file));
      expect([...sums.keys()].sort()).toEqual(files.sort());
      for (const file of files) {
        const hash = createHash('sha256');
        await pipeline(createReadStream(path.join(absolute, file)), hash);
        expect(`${file} ${hash.digest('hex')}`).toBe(`${file} ${sums.get(file)}`);
      }
    },
  );
});

describe('documents', () => {
  test('have a row for every error code, with its status, whether trying again may help, and its meaning', async () => {
    const rows = Object.entries(errorCatalogue).map(
      ([code, { status, retryable, meaning }]) =>
        `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${meaning} |`,
    );
    expect(await tableRows('docs/errors.md')).toEqual(rows);
  });

  test('have a row for every setting, with its default and description', async () => {
    const rows = Object.entries(settings).map(
      ([name, setting]) =>
        `| \`${name}\` | ${setting.default === '' ? '(none)' : `\`${setting.default}\``} | ${setting.description} |`,
    );
    expect(await tableRows('docs/configuration.md')).toEqual(rows);
  });

  /** The rows of a document's tables whose first cell is code. */
  async function tableRows(file: string): Promise<string[]> {
    const text = await readFile(path.join(rootDir, file), 'utf8');
    return text.split('\n').filter((line) => line.startsWith('| `'));
  }

  test('name only npm scripts that exist', async () => {
    const { scripts } = JSON.parse(await readFile(path.join(rootDir, 'package.json'), 'utf8'));
    const wrong: string[] = [];
    for (const file of await documents()) {
      const text = await readFile(path.join(rootDir, file), 'utf8');
      for (const [, name] of text.matchAll(/npm run (?:--?\w+ )*([a-z][\w:-]*)/g)) {
        if (!Object.hasOwn(scripts, name as string)) wrong.push(`${file}: npm run ${name}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('link only to files that exist', async () => {
    const wrong: string[] = [];
    for (const file of await documents()) {
      const text = await readFile(path.join(rootDir, file), 'utf8');
      for (const [, target] of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)) {
        if (!existsSync(path.join(rootDir, path.dirname(file), target as string))) wrong.push(`${file}: ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  async function documents(): Promise<string[]> {
    const inRoot = (await readdir(rootDir)).filter((name) => name.endsWith('.md'));
    const inDocs = (await readdir(path.join(rootDir, 'docs'))).filter((name) => name.endsWith('.md'));
    return [...inRoot, ...inDocs.map((name) => `docs/${name}`)];
  }
});
