import { execFile } from 'node:child_process';

/**
 * Runs a program to its end, without a shell.
 * @returns what it wrote to its standard output
 * @throws Error with the end of all that it said; also when it took longer than `timeoutMs`, after which it is killed
 */
export function execute(
  command: string,
  args: readonly string[],
  { timeoutMs = 600_000, env, cwd }: { timeoutMs?: number; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 2 ** 20, env, cwd } as const;
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const how = error.killed ? `was killed after ${timeoutMs / 1000} s` : `ended with ${error.code ?? error.signal}`;
      reject(
        new Error(
          `${command} ${args.slice(0, 6).join(' ')} ${how}\n${stdout.slice(-20_000)}\n${stderr.slice(-20_000)}`,
        ),
      );
    });
    child.stdin?.end();
  });
}
