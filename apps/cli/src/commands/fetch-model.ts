import path from 'node:path';
import { parseModelReference } from '@studymate/contracts/model-reference';
import { type Command, UsageError } from '../command.ts';
import { readConfig } from '../open.ts';
import { toModelStore } from '../to-model-store.ts';

const help = `Usage: npm run studymate -- fetch-model OWNER/NAME@REVISION

Downloads a Whisper model from the hub (HUB_URL), checks it, and prints its folder in MODEL_CACHE_DIR. A worker with
WHISPER_MODEL set to the same text does that by itself; this command is for doing it beforehand, or on a machine that
reaches the hub for one that does not: copy the folder there, to its MODEL_CACHE_DIR or MODELS_DIR.
REVISION is a commit's 40 hex digits. What was interrupted goes on where it was.`;

const reportEveryMs = 2_000;

export const fetchModelCommand: Command = {
  summary: 'download a Whisper model from the hub',
  help,
  options: {},
  async run({ positionals }, context) {
    const [name, ...rest] = positionals;
    if (name === undefined || rest.length > 0) throw new UsageError('fetch-model: name one model');
    try {
      if (parseModelReference(name).kind !== 'hub') throw new Error('give owner/name@revision');
    } catch (error) {
      throw new UsageError(`fetch-model: ${(error as Error).message}`);
    }
    const config = readConfig(context);
    let reportedMs = 0;
    const store = toModelStore(config.models, {
      stampDir: path.join(config.dataDir, 'cache', 'verified-models'),
      findBundled: () => null,
      onDownload(_, { downloadedBytes, totalBytes }) {
        const isEnd = downloadedBytes === totalBytes;
        if (!isEnd && performance.now() - reportedMs < reportEveryMs) return;
        reportedMs = performance.now();
        context.say(`${(downloadedBytes / 1e6).toFixed(1)} of ${(totalBytes / 1e6).toFixed(1)} MB`);
      },
    });
    // Ctrl-C ends the process; what has come is continued by the next call.
    const { folder } = await store.prepare(name, new AbortController().signal);
    context.print(folder);
    return 0;
  },
};
