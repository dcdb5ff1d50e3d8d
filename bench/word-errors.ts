import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { countWordErrors, normaliseBasic, normaliseEnglish, wordErrorRate } from '@studymate/speech/error-rate';
import { startSystem } from '../e2e/support/running-system.ts';
import { round } from './lib/statistics.ts';

export const about = 'word errors by group of recordings: FOLDER with speech/transcripts.tsv [part of a path]';

interface Recording {
  file: string;
  language: string;
  transcript: string;
}

/** Lines "path, language, transcript, source, licence" under a heading; paths are relative to the folder. */
async function readList(folder: string): Promise<Recording[]> {
  const text = await readFile(path.join(folder, 'speech/transcripts.tsv'), 'utf8');
  const lines = text.trimEnd().split('\n').slice(1);
  return lines.map((line) => {
    const [file = '', language = '', transcript = ''] = line.split('\t');
    return { file, language, transcript };
  });
}

function toWords(text: string, language: string): string[] {
  return language === 'en' ? normaliseEnglish(text) : normaliseBasic(text);
}

/** Sends each recording of at most a minute as a clip, its language given, and counts the errors of its group. */
export async function run(args: string[], note: (text: string) => void) {
  const [folder, only = ''] = args;
  if (!folder) throw new Error('give the folder that holds speech/transcripts.tsv');
  const recordings = (await readList(folder)).filter(({ file }) => file.includes(only));
  const system = await startSystem();
  const groups = new Map<string, { errors: number; words: number; recordings: number }>();
  try {
    for (const [i, { file, language, transcript }] of recordings.entries()) {
      const clip = new File([await readFile(path.join(folder, file))], path.basename(file));
      const { text } = await system.client.transcribe(clip, { language });
      const counted = countWordErrors(toWords(transcript, language), toWords(text, language));
      const name = path.dirname(file).replace(/^speech\//, '');
      const group = groups.get(name) ?? { errors: 0, words: 0, recordings: 0 };
      const words = toWords(transcript, language).length;
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
