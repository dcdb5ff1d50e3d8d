import { createId } from '@studymate/contracts/ids';
import { expect, it } from 'vitest';
import { collectOrphans } from '../src/collect-orphans.ts';
import { mediaKey } from '../src/lecture-keys.ts';
import { createLectureStore } from '../src/lecture-store.ts';
import { openS3Store } from '../src/s3-store.ts';
import { startMemoryS3 } from './support/memory-s3.ts';
import { makeRecord } from './support/records.ts';

it('looking for orphans in a bucket: takes their age from the listings, without a request for each', async () => {
  const s3 = await startMemoryS3();
  const options = { ...s3.options, tempDir: '/nowhere', maxBlobBytes: 2 ** 32, toUploadKey: mediaKey };
  const { blobs } = await openS3Store(options);
  try {
    const lectures = createLectureStore({ blobs });
    const records = Array.from({ length: 5 }, () => makeRecord());
    for (const record of records) {
      await blobs.put(record.media.key, Buffer.from('sound'));
      await lectures.create(record);
    }
    const orphan = mediaKey(createId());
    await blobs.put(orphan, Buffer.from('left'));
    s3.requests.length = 0;
    // `removeAbandoned` sweeps a folder of the disk, which is not there.
    const withoutTemps = { ...blobs, removeAbandoned: async () => 0 };
    const { removed } = await collectOrphans({ blobs: withoutTemps }, { nowMs: Date.now() + 30 * 3_600_000 });
    expect(removed).toEqual([orphan]);
    const heads = s3.requests.filter((request) => request.startsWith('HEAD'));
    expect(heads).toEqual([]);
    // Five listings, one record of each lecture, one deletion.
    expect(s3.requests).toHaveLength(5 + records.length + 1);
  } finally {
    await blobs.close();
    await s3.close();
  }
});
