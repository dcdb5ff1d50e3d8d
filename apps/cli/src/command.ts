import type { ParseArgsConfig } from 'node:util';

/** What a command works with: nothing of the process itself, so that tests can call it. */
export interface CommandContext {
  env: Record<string, string | undefined>;
  workingDir: string;
  /** Writes a line to standard output: what was asked for. */
  print(line: string): void;
  /** Writes a line to standard error: what else is to be said. */
  say(line: string): void;
  /** Folder of a bundled model package, or null when it is not installed. */
  findBundledModel(modelName: string): string | null;
}

export interface CommandCall {
  /** By name; of the forms that `options` allows. */
  values: Record<string, string | boolean | undefined>;
  positionals: string[];
}

export interface Command {
  /** One line for the list of commands. */
  summary: string;
  /** All that `--help` prints. */
  help: string;
  options: NonNullable<ParseArgsConfig['options']>;
  /** @returns the exit status. @throws UsageError, AppError, ConfigError */
  run(call: CommandCall, context: CommandContext): Promise<number>;
}

/** A command was called in a way that it does not understand: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The value of an option that is a text. */
export function textOption(call: CommandCall, name: string): string | undefined {
  const value = call.values[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws UsageError unless the option is absent or a whole number in the range */
export function numberOption(call: CommandCall, name: string, range: { min: number; max: number }): number | undefined {
  const text = textOption(call, name);
  if (text === undefined) return undefined;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= range.min && number <= range.max) return number;
  throw new UsageError(`--${name}: give a number from ${range.min} to ${range.max}`);
}
