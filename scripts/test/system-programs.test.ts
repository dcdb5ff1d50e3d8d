import { afterEach, expect, test, vi } from 'vitest';
import { ensurePrograms } from '../lib/system-programs.mjs';

afterEach(() => {
  vi.unstubAllEnvs();
});

const programs = [{ name: 'ffmpeg', given: 'FFMPEG_PATH', apt: 'ffmpeg', brew: 'ffmpeg' }];
const ensure = (given: string) => {
  vi.stubEnv('FFMPEG_PATH', given);
  return ensurePrograms({ programs, log: () => {} });
};

test.each(['/no/such/ffmpeg', 'no-such-ffmpeg', '/tmp', './package.json'])(
  'FFMPEG_PATH=%s, which is no program: told by its name, and nothing is installed',
  async (given) => {
    await expect(ensure(given)).rejects.toThrow(`FFMPEG_PATH=${given}: there is no such program`);
  },
);

test.each([process.execPath, 'ffmpeg'])('FFMPEG_PATH=%s, which is a program: taken', async (given) => {
  await ensure(given);
});
