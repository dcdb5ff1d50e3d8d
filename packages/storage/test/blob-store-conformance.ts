import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';

export interface StoreUnderTest {
  store: BlobStore;
  /** A second handle on the same blobs, as another process would have. */
  second: BlobStore;
  dispose(): Promise<void>;
}

const text = (value: string) => new TextEncoder().encode(value);

async function* parts(...values: (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const value of values) {
    if (value instanceof Error) throw value;
    yield value;
  }
}

async function first(keys: AsyncIterable<string>): Promise<string | undefined> {
  for await (const key of keys) return key;
  return undefined;
}

/** What every blob store must keep, whatever it lies on. */
export function describeBlobStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`blob store contract: ${name}`, () => {
    let under: StoreUnderTest;
    let store: BlobStore;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.dispose());

    it('put: from bytes and from a stream, gives size and SHA-256 and reads back the same', async () => {
      const bytes = crypto.getRandomValues(new Uint8Array(50_000));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect(await store.put('a/one', bytes)).toEqual({ bytes: 50_000, sha256 });
      const stream = parts(bytes.subarray(0, 1), new Uint8Array(), bytes.subarray(1));
      expect(await store.put('a/two', stream)).toEqual({ bytes: 50_000, sha256 });
      expect(Buffer.compare((await store.read('a/two')) ?? text(''), bytes)).toBe(0);
      expect(await under.second.stat('a/one')).toMatchObject({ bytes: 50_000 });
    });

    it('put: over an existing blob, replaces it', async () => {
      await store.put('a', text('old and longer'));
      await store.put('a', text('new'));
      expect(await store.read('a')).toEqual(Buffer.from('new'));
    });

    it('put: of no bytes, gives an empty blob that is there', async () => {
      await store.put('a', new Uint8Array());
      expect(await store.stat('a')).toMatchObject({ bytes: 0 });
      expect(await buffer(store.stream('a'))).toHaveLength(0);
    });

    it('put: when the source fails in mid-stream, throws its error and leaves nothing', async () => {
      const fault = Object.assign(new Error('the line was cut'), { code: 'ECONNRESET' });
      await expect(store.put('a/b', parts(text('half'), fault))).rejects.toBe(fault);
      expect(await store.read('a/b')).toBeNull();
      expect(await store.list('')).toEqual([]);
    });

    it('put: when the source fails over an existing blob, keeps what was there', async () => {
      await store.put('a', text('kept'));
      await expect(store.put('a', parts(text('half'), new Error('cut')))).rejects.toThrow('cut');
      expect(await store.read('a')).toEqual(Buffer.from('kept'));
    });

    it('put: with readers at the same time, none sees a mixture or a part', async () => {
      const size = 300_000;
      const filled = (value: number) => new Uint8Array(size).fill(value);
      await store.put('a', filled(0));
      let writing = true;
      const reader = async () => {
        let reads = 0;
        do {
          const bytes = await under.second.read('a');
          expect(bytes).toHaveLength(size);
          expect(bytes?.every((value) => value === bytes[0])).toBe(true);
          reads++;
        } while (writing);
        return reads;
      };
      const readers = [reader(), reader()];
      for (let value = 1; value <= 20; value++) {
        await store.put('a', parts(filled(value).subarray(0, 100_000), filled(value).subarray(100_000)));
      }
      writing = false;
      for (const reads of await Promise.all(readers)) expect(reads).toBeGreaterThan(0);
    });

    it('create: by many at once under one key, exactly one wins and its bytes stay', async () => {
      for (let round = 0; round < 10; round++) {
        const key = `records/${round}`;
        const won = await Promise.all(
          Array.from({ length: 16 }, (_, i) => (i % 2 ? store : under.second).create(key, text(`writer ${i}`))),
        );
        expect(won.filter(Boolean)).toHaveLength(1);
        expect(await store.read(key)).toEqual(Buffer.from(`writer ${won.indexOf(true)}`));
      }
    });

    it('put: by two at once under one key, ends with one of them whole', async () => {
      const filled = (value: number) => new Uint8Array(100_000).fill(value);
      for (let round = 0; round < 10; round++) {
        await Promise.all([store.put('a/b', parts(filled(1), filled(1))), under.second.put('a/b', parts(filled(2)))]);
        const bytes = await store.read('a/b');
        expect(bytes?.length).toBe(bytes?.[0] === 1 ? 200_000 : 100_000);
        expect(bytes?.every((value) => value === bytes[0])).toBe(true);
      }
      expect(await store.list('')).toEqual(['a/b']);
    });

    it('create: over a blob that was put, is refused and leaves it; by the second store as well', async () => {
      await store.put('a', text('put'));
      expect(await store.create('a', text('created'))).toBe(false);
      expect(await under.second.create('a', text('created'))).toBe(false);
      expect(await under.second.read('a')).toEqual(Buffer.from('put'));
    });

    it('stat: tells when the last byte was written', async () => {
      const before = Date.now();
      await store.put('a', text('x'));
      const first = await under.second.stat('a');
      // File systems count time in steps of some milliseconds.
      expect(first?.modifiedMs).toBeGreaterThan(before - 2_000);
      expect(first?.modifiedMs).toBeLessThan(Date.now() + 2_000);
      expect(await store.stat('a')).toEqual(first);
    });

    it('create: after delete, succeeds again', async () => {
      expect(await store.create('a/b', text('1'))).toBe(true);
      expect(await store.create('a/b', text('2'))).toBe(false);
      await store.delete('a/b');
      expect(await store.create('a/b', text('3'))).toBe(true);
    });

    it('read, stat: of what is not there, give null', async () => {
      expect(await store.read('no/such')).toBeNull();
      expect(await store.stat('no')).toBeNull();
      await store.put('a/b', text('x'));
      expect(await store.read('a')).toBeNull();
      expect(await store.read('a/b/c')).toBeNull();
    });

    it('stream: of what is not there, fails with not_found', async () => {
      await expect(buffer(store.stream('no/such'))).rejects.toMatchObject({ code: 'not_found' });
    });

    it('stream: with a range, gives exactly those bytes', async () => {
      const bytes = crypto.getRandomValues(new Uint8Array(60_000));
      await store.put('a', bytes);
      const range = async (start: number, end: number) => buffer(store.stream('a', { start, end }));
      expect(Buffer.compare(await buffer(store.stream('a')), bytes)).toBe(0);
      expect(Buffer.compare(await range(0, 0), bytes.subarray(0, 1))).toBe(0);
      expect(Buffer.compare(await range(1000, 59_999), bytes.subarray(1000))).toBe(0);
      expect(Buffer.compare(await range(59_990, 99_999), bytes.subarray(59_990))).toBe(0);
      await expect(range(60_000, 60_001)).rejects.toMatchObject({ code: 'range_not_satisfiable' });
      await expect(range(5, 4)).rejects.toMatchObject({ code: 'range_not_satisfiable' });
      await expect(range(-1, 4)).rejects.toMatchObject({ code: 'range_not_satisfiable' });
    });

    it('stream: dropped half-way, lets the blob be deleted and the store be closed', async () => {
      await store.put('a', new Uint8Array(5_000_000));
      for await (const part of store.stream('a')) {
        expect(part.length).toBeGreaterThan(0);
        break;
      }
      store.stream('a').destroy();
      await store.delete('a');
      await store.close();
    });

    it('list: gives every key below the prefix, ascending by code unit, and no others', async () => {
      const keys = ['a/b', 'a-b', 'a/b2/c', 'a.b', 'b', 'a/B', 'a/b/../x', 'ab/c', 'a/0010', 'a/0009'];
      for (const key of keys.filter((key) => !key.includes('..') && key !== 'a/b')) await store.put(key, text('x'));
      expect(await store.list('')).toEqual(['a-b', 'a.b', 'a/0009', 'a/0010', 'a/B', 'a/b2/c', 'ab/c', 'b']);
      expect(await store.list('a/')).toEqual(['a/0009', 'a/0010', 'a/B', 'a/b2/c']);
      expect(await store.list('a/b2/')).toEqual(['a/b2/c']);
      expect(await store.list('nothing/')).toEqual([]);
      await expect(store.list('a')).rejects.toMatchObject({ code: 'invalid_request' });
    });

    it('walk: gives the same keys in the same order, as many as are wanted', async () => {
      const keys = ['a-b', 'a.b', 'a0', 'a/0010', 'a/0009', 'a/B', 'a/b-c/d', 'a/b/c', 'a/b2/c', 'ab/c', 'b'];
      for (const key of keys) await store.put(key, text('x'));
      for (const prefix of ['', 'a/', 'a/b/', 'nothing/']) {
        const walked: string[] = [];
        for await (const key of store.walk(prefix)) walked.push(key);
        expect(walked).toEqual(keys.filter((key) => key.startsWith(prefix)).sort());
        expect(await store.list(prefix)).toEqual(walked);
      }
      for await (const key of store.walk('')) {
        expect(key).toBe('a-b');
        break;
      }
    });

    it('walkOlder: gives the keys of what was written before a moment', async () => {
      for (const key of ['p/a', 'p/b/c', 'q']) await store.put(key, text('x'));
      const newest = Math.max(
        ...(await Promise.all(['p/a', 'p/b/c'].map(async (key) => (await store.stat(key))?.modifiedMs ?? 0))),
      );
      const older = async (thanMs: number) => {
        const keys: string[] = [];
        for await (const key of store.walkOlder('p/', thanMs)) keys.push(key);
        return keys;
      };
      // A bucket counts in seconds in one place, and in less in the other.
      expect(await older(newest + 2_000)).toEqual(['p/a', 'p/b/c']);
      expect(await older(newest - 60_000)).toEqual([]);
    });

    it('walk: while each key that it gave is deleted, gives all of them once', async () => {
      const keys = Array.from({ length: 40 }, (_, i) => `p/${String(i).padStart(2, '0')}/x`);
      for (const key of keys) await store.put(key, text('x'));
      const walked: string[] = [];
      for await (const key of store.walk('p/')) {
        walked.push(key);
        await under.second.delete(key);
      }
      expect(walked).toEqual(keys);
      expect(await store.list('')).toEqual([]);
    });

    it('list: while others come and go, shows all that stay', async () => {
      const staying = Array.from({ length: 20 }, (_, i) => `p/${String(i).padStart(2, '0')}/x`);
      for (const key of staying) await store.put(key, text('x'));
      let busy = true;
      const churn = (async () => {
        for (let i = 0; busy; i++) {
          await under.second.put(`p/${i % 7}-gone/y`, text('y'));
          await under.second.delete(`p/${i % 7}-gone/y`);
        }
      })();
      for (let i = 0; i < 30; i++) expect(await store.list('p/')).toEqual(expect.arrayContaining(staying));
      busy = false;
      await churn;
    });

    it('delete: of one, of a prefix, and of nothing, removes just that', async () => {
      for (const key of ['a/1', 'a/2', 'a/b/3', 'ab/4', 'c']) await store.put(key, text('x'));
      await store.delete('a/1');
      await store.delete('a/1');
      await store.delete('a/b');
      expect(await store.list('')).toEqual(['a/2', 'a/b/3', 'ab/4', 'c']);
      await store.deletePrefix('a/');
      await store.deletePrefix('a/');
      expect(await store.list('')).toEqual(['ab/4', 'c']);
      await expect(store.deletePrefix('')).rejects.toMatchObject({ code: 'invalid_request' });
    });

    it('writing and deleting in one folder at once: no write fails and none is lost', async () => {
      await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          const mine = i % 2 ? store : under.second;
          for (let round = 0; round < 25; round++) {
            const key = `x/y/z/${i}`;
            if (round % 2) await mine.put(key, text(String(round)));
            else expect(await mine.create(key, text(String(round)))).toBe(true);
            expect(await mine.read(key)).toEqual(Buffer.from(String(round)));
            await mine.delete(key);
          }
        }),
      );
      expect(await store.list('')).toEqual([]);
    });

    it('hostile keys: every method refuses them', async () => {
      const hostile = [
        '',
        '/',
        '/etc/passwd',
        '../x',
        'a/../../x',
        'a/..',
        '.',
        './a',
        'a//b',
        'a/',
        'a\0b',
        'a b',
        'ä',
      ];
      hostile.push('a\\b', '~tmp/x', 'a\n', '%2e%2e/x', 'C:x', 'a'.repeat(129), 'a/'.repeat(400).concat('a'));
      for (const key of hostile) {
        const refused = { code: 'invalid_request' };
        await expect(store.put(key, text('x')), key).rejects.toMatchObject(refused);
        await expect(store.create(key, text('x')), key).rejects.toMatchObject(refused);
        await expect(store.read(key), key).rejects.toMatchObject(refused);
        await expect(store.stat(key), key).rejects.toMatchObject(refused);
        await expect(store.delete(key), key).rejects.toMatchObject(refused);
        await expect(store.openLocal(key), key).rejects.toMatchObject(refused);
        await expect(buffer(store.stream(key)), key).rejects.toMatchObject(refused);
      }
      for (const prefix of ['../', '/', 'a/../', 'a//', './', 'a\0/']) {
        await expect(store.list(prefix), prefix).rejects.toMatchObject({ code: 'invalid_request' });
        await expect(first(store.walk(prefix)), prefix).rejects.toMatchObject({ code: 'invalid_request' });
        await expect(store.deletePrefix(prefix), prefix).rejects.toMatchObject({ code: 'invalid_request' });
      }
    });

    it('openLocal: gives a file with the bytes, and not_found for what is not there', async () => {
      await store.put('a/b', text('local'));
      const local = await store.openLocal('a/b');
      expect(await readFile(local.path, 'utf8')).toBe('local');
      await local.release();
      await expect(store.openLocal('a/c')).rejects.toMatchObject({ code: 'not_found' });
    });

    it('a key below a blob, or a blob at a prefix: is refused or lives beside it, and nothing is lost', async () => {
      await store.put('a', text('blob'));
      await store.put('b/c', text('below'));
      const refused = (thrown: unknown) => expect(thrown).toMatchObject({ code: 'storage_unavailable' });
      await store.put('a/x', text('x')).catch(refused);
      await store.create('a/y', text('y')).catch(refused);
      await store.put('b', text('x')).catch(refused);
      await store.create('b', text('y')).catch(refused);
      expect(await store.read('a')).toEqual(Buffer.from('blob'));
      expect(await store.read('b/c')).toEqual(Buffer.from('below'));
    });

    it('removeAbandoned: while both stores write, removes nothing of theirs', async () => {
      let removed = -1;
      async function* interrupted() {
        yield text('half ');
        removed = (await store.removeAbandoned()) + (await under.second.removeAbandoned());
        yield text('and half');
      }
      await Promise.all([store.put('a', interrupted()), under.second.put('b', interrupted())]);
      expect(removed).toBe(0);
      for (const key of ['a', 'b']) expect(await store.read(key)).toEqual(Buffer.from('half and half'));
    });

    it('check: on a store that works, resolves and leaves nothing', async () => {
      await store.check();
      expect(await store.list('')).toEqual([]);
    });

    it('close: waits for what has begun', async () => {
      const writing = store.put('a', parts(text('one'), text('two')));
      await store.close();
      await writing;
      expect(await under.second.read('a')).toEqual(Buffer.from('onetwo'));
    });

    it('close: then every method fails with storage_unavailable', async () => {
      await store.put('a', text('x'));
      await store.close();
      await store.close();
      for (const call of [
        () => store.put('a', text('y')),
        () => store.put('a', parts(text('y'))),
        () => store.create('b', text('y')),
        () => store.read('a'),
        () => buffer(store.stream('a')),
        () => store.stat('a'),
        () => store.list(''),
        () => first(store.walk('')),
        () => store.delete('a'),
        () => store.deletePrefix('a/'),
        () => store.openLocal('a'),
        () => store.check(),
        () => store.removeAbandoned(),
      ]) {
        await expect(call(), String(call)).rejects.toMatchObject({ code: 'storage_unavailable' });
      }
      expect(await under.second.read('a')).toEqual(Buffer.from('x'));
    });
  });
}
