import type { Logger } from './logger.ts';

type ShutdownLogger = Pick<Logger, 'info' | 'warn' | 'error'>;

export interface Shutdown {
  /** Registers what must be closed; the last one registered is closed first. */
  push(name: string, close: () => unknown): void;
  /**
   * Closes everything, once: a second call gives the promise of the first. One closer's failure does not keep the
   * others from running. @returns whether all of them closed in time and without an error
   */
  run(reason: string): Promise<boolean>;
  readonly isStopping: boolean;
}

/**
 * @param options.timeoutMs for all closers together; when it is over `run` ends with false, whatever still hangs
 * @param options.logger a function, because the logger is often made after the first closer is known
 */
export function createShutdown(options: { timeoutMs: number; logger: () => ShutdownLogger | undefined }): Shutdown {
  const closers: { name: string; close: () => unknown }[] = [];
  let running: Promise<boolean> | undefined;

  const closeAll = async (): Promise<boolean> => {
    let clean = true;
    for (let entry = closers.pop(); entry; entry = closers.pop()) {
      try {
        await entry.close();
      } catch (error) {
        clean = false;
        options.logger()?.error({ err: error, part: entry.name }, 'could not be closed');
      }
    }
    return clean;
  };

  return {
    push(name, close) {
      closers.push({ name, close });
    },
    run(reason) {
      running ??= (async () => {
        options.logger()?.info({ reason }, 'stopping');
        let timer: NodeJS.Timeout | undefined;
        const deadline = new Promise<boolean>((resolve) => {
          timer = setTimeout(() => {
            options.logger()?.warn({ timeoutMs: options.timeoutMs }, 'not everything stopped in time');
            resolve(false);
          }, options.timeoutMs);
          // A process that has nothing left to do may end before.
          timer.unref();
        });
        const clean = await Promise.race([closeAll(), deadline]);
        clearTimeout(timer);
        return clean;
      })();
      return running;
    },
    get isStopping() {
      return running !== undefined;
    },
  };
}

/** npm passes on the signal that the terminal has sent us already: that echo is not a second wish. */
const echoMs = 500;

/**
 * Stops the process on SIGTERM and SIGINT; a second signal ends it at once, unless it comes within `echoMs`. To be
 * called in main.ts only.
 *
 * @param options.exitWithParent also stops when the channel to the parent process closes, so that a program that
 *   started us leaves nothing behind even when it is killed
 */
export function stopOnSignals(options: { shutdown: Shutdown; exitWithParent: boolean; echoMs?: number }): void {
  let firstMs = 0;
  const stop = (reason: string) => {
    if (options.shutdown.isStopping) {
      if (performance.now() - firstMs >= (options.echoMs ?? echoMs)) process.exit(1);
      return;
    }
    firstMs = performance.now();
    options.shutdown.run(reason).then((clean) => process.exit(clean ? 0 : 1));
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  if (options.exitWithParent && process.channel) {
    process.on('disconnect', () => {
      if (!options.shutdown.isStopping) stop('the parent process is gone');
    });
    // A message listener or not, the channel alone must not keep a finished process alive.
    process.channel.unref();
  }
}
