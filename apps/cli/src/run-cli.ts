import { parseArgs } from 'node:util';
import { ConfigError } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import { type Command, type CommandContext, UsageError } from './command.ts';
import { backupCommand, restoreCommand } from './commands/backup.ts';
import { doctorCommand } from './commands/doctor.ts';
import { failedCommand } from './commands/failed.ts';
import { fetchModelCommand } from './commands/fetch-model.ts';
import { keysCommand } from './commands/keys.ts';
import { reindexCommand } from './commands/reindex.ts';

const commands: Record<string, Command> = {
  doctor: doctorCommand,
  keys: keysCommand,
  failed: failedCommand,
  reindex: reindexCommand,
  backup: backupCommand,
  restore: restoreCommand,
  'fetch-model': fetchModelCommand,
};

const help = (): string => {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'Usage: npm run studymate -- COMMAND [--help]',
    '',
    ...lines,
    '',
    'Settings come from the environment and from .env, as for API and worker.',
    'Exit status: 0 done, 1 failed, 2 called in a wrong way.',
  ].join('\n');
};

/**
 * The operator's command line.
 * @param args without the program's name
 * @returns the exit status: 0 done, 1 failed, 2 called in a wrong way
 */
export async function runCli(args: string[], context: CommandContext): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--help' || name === '-h' || name === 'help') {
    context.print(help());
    return 0;
  }
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    context.say(name === undefined ? help() : `There is no command "${toPlain(name)}".\n\n${help()}`);
    return 2;
  }
  try {
    const options = { ...command.options, help: { type: 'boolean' as const, short: 'h' } };
    const { values, positionals } = parseArgs({ args: rest, options, allowPositionals: true });
    if (values.help === true) {
      context.print(command.help);
      return 0;
    }
    const single = Object.entries(values).map(([key, value]) => [key, Array.isArray(value) ? value.at(-1) : value]);
    return await command.run({ values: Object.fromEntries(single), positionals }, context);
  } catch (error) {
    if (isUsageError(error)) {
      context.say(`${toPlain(error.message)}\n\n${command.help}`);
      return 2;
    }
    if (error instanceof ConfigError) context.say(error.message);
    else if (error instanceof AppError) context.say(`${error.message} (${error.code})`);
    else throw error;
    return 1;
  }
}

function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS');
}

/** What was typed, without what could move a terminal's cursor. */
function toPlain(text: string): string {
  return text.replace(/\p{Cc}/gu, '?').slice(0, 500);
}
