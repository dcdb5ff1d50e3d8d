import path from 'node:path';
import { countWordErrors, wordErrorRate } from '@studymate/speech/error-rate';
import { toComparedWords } from '@studymate/speech/match-words';
import { openRecordingTranscriber, readRecordings } from './lib/speech-recordings.ts';
import { round } from './lib/statistics.ts';

export const about = 'word errors by group of recordings: FOLDER with speech/transcripts.tsv [part of a path]';

/** Transcribes each recording by itself, its language given, and counts the errors of its group. */
export async function run(args: string[], note: (text: string) => void) {
  const [folder, only] = args;
  if (!folder) throw new Error('give the folder that holds speech/transcripts.tsv');
  const recordings = await readRecordings(folder, only);
  const transcriber = await openRecordingTranscriber();
  const groups = new Map<string, { errors: number; words: number; recordings: number }>();
  try {
    for (const [i, { file, group: name, language, transcript }] of recordings.entries()) {
      const windows = await transcriber.transcribe(path.join(folder, file), language);
      const text = windows.map((window) => window.text).join(' ');
      const reference = toComparedWords(transcript, language);
      const group = groups.get(name) ?? { errors: 0, words: 0, recordings: 0 };
      group.errors += wordErrorRate(countWordErrors(reference, toComparedWords(text, language))) * reference.length;
      group.words += reference.length;
      group.recordings++;
      groups.set(name, group);
      if (i % 50 === 49) note(`${i + 1} of ${recordings.length}`);
    }
  } finally {
    await transcriber.close();
  }
  return Object.fromEntries(
    [...groups].map(([name, { errors, words, recordings: count }]) => [
      name,
      { wordErrorRate: round(errors / words, 4), words, recordings: count },
    ]),
  );
}
