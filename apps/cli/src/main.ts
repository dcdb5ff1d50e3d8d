import { createRequire } from 'node:module';
import path from 'node:path';
import dotenv from 'dotenv';
import { runCli } from './run-cli.ts';

/** The command line's only file with side effects. */
async function main(): Promise<void> {
  dotenv.config({ quiet: true });
  const require = createRequire(import.meta.url);
  process.exitCode = await runCli(process.argv.slice(2), {
    env: process.env,
    workingDir: process.cwd(),
    print: (line) => process.stdout.write(`${line}\n`),
    say: (line) => process.stderr.write(`${line}\n`),
    findBundledModel(name) {
      try {
        return path.dirname(require.resolve(`@studymate/model-${name.toLowerCase()}/package.json`));
      } catch {
        return null;
      }
    },
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
