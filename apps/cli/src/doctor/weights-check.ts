import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Config } from '@studymate/config/config';
import { verifyModelFolder } from '@studymate/models/weights';
import { toModelStore } from '../to-model-store.ts';
import { type Finding, toReason } from './check.ts';

const name = 'weights';

/** Every model's files against their checksums; all of them are read, whatever was verified before. */
export async function checkWeights(deps: {
  config: Config['models'];
  findBundledModel(modelName: string): string | null;
}): Promise<Finding[]> {
  const { config } = deps;
  const findings: Finding[] = [];
  for (const model of [config.whisperModel, 'silero-vad', 'all-MiniLM-L6-v2']) {
    // Without a stamp of an earlier time, so that the files are read.
    const stampDir = await mkdtemp(path.join(tmpdir(), 'studymate-doctor-'));
    try {
      const folder = await toModelStore(config, { stampDir, findBundled: deps.findBundledModel }).find(model);
      await verifyModelFolder(folder, stampDir);
      const hasSums = (await stat(path.join(folder, 'SHA256SUMS')).catch(() => null)) !== null;
      findings.push({
        name,
        state: 'ok',
        message: hasSums ? `${model} as it should be` : `${model} in ${folder}, which has no checksums`,
      });
    } catch (error) {
      const fix = 'npm ci brings the default ones; MODELS_DIR and WHISPER_MODEL name others';
      findings.push({ name, state: 'failure', message: toReason(error), fix });
    } finally {
      await rm(stampDir, { recursive: true, force: true });
    }
  }
  return findings;
}
