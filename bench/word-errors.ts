import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { countWordErrors, wordErrorRate } from '@studymate/speech/error-rate';
import { startSystem } from '../e2e/support/running-system.ts';
import { round } from './lib/statistics.ts';
import { groupOf, readTranscriptList, toComparedWords } from './lib/transcript-list.ts';

export const about = 'word errors by group of recordings: FOLDER with speech/transcripts.tsv [part of a path]';

/** Sends each recording of at most a minute as a clip, its language given, and counts the errors of its group. */
export async function run(args: string[], note: (text: string) => void) {
  const [folder, only = ''] = args;
  if (!folder) throw new Error('give the folder that holds speech/transcripts.tsv');
  const recordings = (await readTranscriptList(folder)).filter(({ file }) => file.includes(only));
  const system = await startSystem();
  const groups = new Map<string, { errors: number; words: number; recordings: number }>();
  try {
    for (const [i, recording] of recordings.entries()) {
      const { file, language, transcript } = recording;
      const clip = new File([await readFile(path.join(folder, file))], path.basename(file));
      const { text } = await system.client.transcribe(clip, { language });
      const counted = countWordErrors(toComparedWords(transcript, language), toComparedWords(text, language));
      const name = groupOf(recording);
      const group = groups.get(name) ?? { errors: 0, words: 0, recordings: 0 };
      const words = toComparedWords(transcript, language).length;
      group.errors += wordErrorRate(counted) * words;
      group.words += words;
      group.recordings++;
      groups.set(name, group);
      if (i % 50 === 49) note(`${i + 1} of ${recordings.length}`);
    }
  } finally {
    await system.close();
  }
  return Object.fromEntries(
    [...groups].map(([name, { errors, words, recordings: count }]) => [
      name,
      { wordErrorRate: round(errors / words, 4), words, recordings: count },
    ]),
  );
}
