import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { countWordErrors, normaliseBasic, normaliseEnglish, wordErrorRate } from '@studymate/speech/error-rate';
import { startSystem } from '../e2e/support/running-system.ts';
import { round } from './lib/statistics.ts';

export const about = 'course terms with and without a glossary: FOLDER with glossary.tsv [part of a path]';

interface Recording {
  file: string;
  language: string;
  transcript: string;
  terms: string[];
}

/** Sizes of the glossaries: all terms that are said, filled up to so many with terms of other recordings. */
const sizes = [0, 5, 50, 200];

interface Tally {
  words: number;
  errors: number;
  termsSaid: number;
  termsFound: number;
  termsInvented: number;
  inferenceSeconds: number;
}

/** Lines "path, language, transcript, terms with | between them" under a heading; paths are relative to the folder. */
async function readList(folder: string): Promise<Recording[]> {
  const lines = (await readFile(path.join(folder, 'glossary.tsv'), 'utf8')).trimEnd().split('\n').slice(1);
  return lines.map((line) => {
    const [file = '', language = '', transcript = '', terms = ''] = line.split('\t');
    return { file, language, transcript, terms: terms.split('|').filter((term) => term !== '') };
  });
}

function toWords(text: string, language: string): string[] {
  return language === 'en' ? normaliseEnglish(text) : normaliseBasic(text);
}

/** How often a text has a term, in whatever case. */
function countTerm(text: readonly string[], term: readonly string[]): number {
  return text.filter((_, i) => term.length > 0 && term.every((word, j) => text[i + j] === word)).length;
}

function toGlossary(recording: Recording, all: readonly string[], size: number): string[] {
  const others = all.filter((term) => !recording.terms.includes(term));
  return [...recording.terms, ...others].slice(0, Math.max(size, recording.terms.length));
}

function add(tally: Tally, { transcript, language }: Recording, text: string, all: readonly string[]): void {
  const said = toWords(transcript, language);
  const heard = toWords(text, language);
  tally.words += said.length;
  tally.errors += Math.round(wordErrorRate(countWordErrors(said, heard)) * said.length);
  for (const term of all.map((each) => toWords(each, language))) {
    const isSaid = countTerm(said, term);
    const isHeard = countTerm(heard, term);
    tally.termsSaid += isSaid;
    tally.termsFound += Math.min(isSaid, isHeard);
    tally.termsInvented += Math.max(0, isHeard - isSaid);
  }
}

/** Sends each recording of at most a minute as a clip, once for each size of glossary. */
export async function run(args: string[], note: (text: string) => void) {
  const [folder, only = ''] = args;
  if (!folder) throw new Error('give the folder that holds glossary.tsv');
  const list = await readList(folder);
  const all = [...new Set(list.flatMap(({ terms }) => terms))];
  const recordings = list.filter(({ file }) => file.includes(only));
  const tallies = new Map(
    sizes.map((size) => [
      size,
      { words: 0, errors: 0, termsSaid: 0, termsFound: 0, termsInvented: 0, inferenceSeconds: 0 },
    ]),
  );
  let seconds = 0;
  const system = await startSystem();
  try {
    for (const recording of recordings) {
      const { file, language } = recording;
      const clip = new File([await readFile(path.resolve(folder, file))], path.basename(file));
      for (const [size, tally] of tallies) {
        const glossary = toGlossary(recording, all, size);
        const answer = await system.client.transcribe(clip, { language, ...(size > 0 && { glossary }) });
        add(tally, recording, answer.text, all);
        tally.inferenceSeconds += answer.timings.inferenceSeconds;
        if (size === 0) seconds += answer.durationSeconds;
      }
      note(file);
    }
  } finally {
    await system.close();
  }
  const figures = [...tallies].map(([size, tally]) => [
    size === 0 ? 'none' : `terms${size}`,
    {
      termRecall: round(tally.termsFound / Math.max(1, tally.termsSaid), 4),
      termsInvented: tally.termsInvented,
      wordErrorRate: round(tally.errors / tally.words, 4),
      realTimeFactor: round(tally.inferenceSeconds / seconds, 4),
    },
  ]);
  const said = tallies.get(0)?.termsSaid ?? 0;
  return { recordings: recordings.length, seconds: round(seconds, 0), termsSaid: said, ...Object.fromEntries(figures) };
}
