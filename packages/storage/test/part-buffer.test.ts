import { expect, it } from 'vitest';
import { createPartBuffer } from '../src/part-buffer.ts';

it('gathers pieces of any size into parts of one size, in no more memory than one of them takes', () => {
  const partBytes = 3_000_000;
  const bytes = Buffer.from(Array.from({ length: 7_000 }, (_, i) => i % 251));
  const buffer = createPartBuffer(partBytes);
  const memories = new Set<ArrayBufferLike>();
  const sent: Buffer[] = [];
  let total = 0;
  for (let i = 0; i < 1_000; i++) {
    for (let rest: Uint8Array = bytes; rest.length > 0; ) {
      const taken = buffer.add(rest);
      total += taken;
      rest = rest.subarray(taken);
      if (!buffer.isFull) continue;
      expect(buffer.peek()).toHaveLength(partBytes);
      memories.add(buffer.peek().buffer);
      sent.push(Buffer.from(buffer.peek()));
      buffer.clear();
    }
  }
  sent.push(Buffer.from(buffer.peek()));
  expect(total).toBe(7_000_000);
  expect(Buffer.concat(sent).equals(Buffer.concat(Array.from({ length: 1_000 }, () => bytes)))).toBe(true);
  expect([...memories].map((memory) => memory.byteLength)).toEqual([partBytes]);
});
