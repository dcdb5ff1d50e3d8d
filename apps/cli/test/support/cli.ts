import path from 'node:path';
import { runCli } from '../../src/run-cli.ts';

const modelsDir = path.resolve(import.meta.dirname, '../../../../models');

export interface CliResult {
  status: number;
  /** What went to standard output. */
  out: string;
  err: string;
}

/** Runs a command in this process, with these settings alone. */
export async function cli(args: string[], env: Record<string, string>): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  const status = await runCli(args, {
    env,
    workingDir: '/',
    print: (line) => out.push(line),
    say: (line) => err.push(line),
    findBundledModel: (name) => path.join(modelsDir, name),
  });
  return { status, out: out.join('\n'), err: err.join('\n') };
}
