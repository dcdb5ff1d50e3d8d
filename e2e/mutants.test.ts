import { describe, expect, test } from 'vitest';
import { findFaults, runMutants } from '../bench/lib/mutants.ts';

describe('broken recordings of every container', () => {
  test('each end in an answer or a coded refusal, and leave no process, no file and no memory behind', async () => {
    // `npm run bench -- mutants` does a thousand, of any seed.
    const { outcomes, processesLeft, filesLeft, maxRssGrowthMb } = await runMutants({
      seed: 4,
      count: 90,
      concurrency: 3,
    });
    expect(outcomes).toHaveLength(90);
    expect(findFaults(outcomes, 120_000)).toEqual([]);
    expect(processesLeft).toEqual([]);
    expect(filesLeft).toEqual([]);
    expect(maxRssGrowthMb).toBeLessThan(200);
    // They are broken enough to be refused, and not so much that nothing is left to decode.
    const kinds = new Set(outcomes.map(({ lecture }) => lecture));
    for (const kind of ['decoded', 'decoded, warned', 'not_media', 'media_damaged']) expect(kinds).toContain(kind);
  });
});
