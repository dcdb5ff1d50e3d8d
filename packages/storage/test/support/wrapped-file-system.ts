import type { FileHandle } from 'node:fs/promises';
import { type FileSystem, nodeFileSystem } from '../../src/file-system.ts';

/** One call of the file system: of a function (open, rename …) or of an open file (write, sync, close …). */
export interface FileCall {
  name: string;
  /** The function's own arguments; for an open file, its path. */
  paths: string[];
}

export interface WrappedFileSystem {
  fileSystem: FileSystem;
  /** Resolves when no call is under way any more; an action that failed may have left some. */
  quiet(): Promise<void>;
}

/** The file system with something done before each call; what it throws is the call's fault. */
export function wrapFileSystem(before: (call: FileCall) => void): WrappedFileSystem {
  const running = new Set<Promise<unknown>>();
  const track = async <T>(call: Promise<T>): Promise<T> => {
    running.add(call);
    try {
      return await call;
    } finally {
      running.delete(call);
    }
  };
  const wrapHandle = (handle: FileHandle, path: string): FileHandle =>
    new Proxy(handle, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          // A file that is not closed would stay open for good, as it does not when a process dies.
          try {
            before({ name: `handle.${String(name)}`, paths: [path] });
          } catch (thrown) {
            if (name === 'close') await object.close();
            throw thrown;
          }
          return track(value.apply(object, args));
        };
      },
    });
  const fileSystem = new Proxy(nodeFileSystem, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        const paths = args.filter((arg): arg is string => typeof arg === 'string');
        before({ name: String(name), paths });
        const result = await track<FileHandle>(value.apply(object, args));
        return name === 'open' ? wrapHandle(result, paths[0] ?? '') : result;
      };
    },
  });
  return {
    fileSystem,
    async quiet() {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

/** The one call number `at` (counted once `arm` was called) fails with a code of the system; -1: none. */
export function failingFileSystem(at: number, code: string) {
  let armed = false;
  let calls = 0;
  return {
    ...wrapFileSystem(() => {
      if (armed && ++calls === at) throw Object.assign(new Error(code), { code });
    }),
    arm: () => {
      armed = true;
    },
    hasFailed: () => calls >= at,
  };
}

/** From call number `at` on nothing happens any more, not even a removal: what a process leaves that is killed there. */
export function dyingFileSystem(at: number) {
  let armed = false;
  let calls = 0;
  return {
    ...wrapFileSystem(() => {
      if (armed && ++calls >= at) throw new Error('the process is dead');
    }),
    arm: () => {
      armed = true;
    },
    hasDied: () => calls >= at,
  };
}
