// Runs an app that is built to one CommonJS file, with V8's code cache beside it. Part of the built app.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';

/** Where the code cache of a bundle lies. The bundle's name has a hash of its contents, so the two always fit. */
export const codeCacheOf = (file) => `${file}.cache`;

/**
 * Evaluates the bundle. A cache that is missing, or that V8 refuses (another version of V8, other V8 flags), costs time
 * and nothing else: the bundle is then compiled as usual, and nothing is written.
 *
 * @param {string} file absolute
 * @returns {vm.Script} what was evaluated; `cachedDataRejected` is true when the cache did not fit
 */
export function loadBundle(file) {
  // esbuild writes ASCII: read as Latin-1 the text takes one byte a character in memory.
  const code = readFileSync(file, 'latin1');
  const script = new vm.Script(`(function(exports,require,module,__filename,__dirname){\n${code}\n})`, {
    // So that lines count as in the file, and its source map fits.
    lineOffset: -1,
    filename: file,
    cachedData: readCache(codeCacheOf(file)),
  });
  const module = { exports: {} };
  const run = script.runInThisContext();
  run.call(module.exports, module.exports, createRequire(file), module, file, path.dirname(file));
  return script;
}

const digestBytes = 32;
const digestOf = (data) => createHash('sha256').update(data).digest();

/** The contents of a cache file: V8 crashes on damaged data (tried with Node 20), so a digest goes before it. */
export const toCacheFile = (data) => Buffer.concat([digestOf(data), data]);

/** @returns {Buffer | undefined} nothing when there is no cache, or it is damaged */
function readCache(file) {
  try {
    const bytes = readFileSync(file);
    const data = bytes.subarray(digestBytes);
    return digestOf(data).equals(bytes.subarray(0, digestBytes)) ? data : undefined;
  } catch {
    return undefined;
  }
}
