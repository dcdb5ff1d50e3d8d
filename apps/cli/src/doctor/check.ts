import { AppError } from '@studymate/contracts/errors';

/** What the doctor says of one thing. */
export interface Finding {
  /** What was looked at, in a word or two. */
  name: string;
  state: 'ok' | 'warning' | 'failure';
  message: string;
  /** What would make it better; for warnings and failures. */
  fix?: string;
}

/** Looks at one thing, or several of a kind. It may throw: that is a failure too. */
export interface Check {
  name: string;
  /** What to do when the check itself throws. */
  fix: string;
  run(): Promise<Finding[]>;
}

const defaultTimeoutMs = 60_000;

/** Runs a check to its end; what it throws, or that it takes too long, is its finding. */
export async function runCheck(check: Check, timeoutMs = defaultTimeoutMs): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
  });
  try {
    return await Promise.race([check.run(), late]);
  } catch (error) {
    return [{ name: check.name, state: 'failure', message: toReason(error), fix: check.fix }];
  } finally {
    clearTimeout(timer);
  }
}

/** The message of an error, with the system's where ours says less. */
export function toReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const isCoded = cause instanceof AppError || !(error instanceof AppError);
  const more = cause instanceof Error && !isCoded ? ` (${cause.message})` : '';
  return `${error.message}${more}`.replace(/\s*\n\s*/g, ' ').replace(/\.$/, '');
}

/** Bytes for people, in binary units. */
export function toSize(bytes: number): string {
  if (bytes < 2 ** 20) return `${Math.ceil(bytes / 1024)} KiB`;
  if (bytes < 2 ** 30) return `${Math.round(bytes / 2 ** 20)} MiB`;
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** How long ago, for people. */
export function toAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
