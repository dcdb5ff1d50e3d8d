import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** A recording and what is said in it. */
export interface Recording {
  /** Relative to the folder. */
  file: string;
  language: string;
  transcript: string;
}

/** Lines "path, language, transcript, …" with tabs between, under a heading, in `speech/transcripts.tsv` of a folder. */
export async function readTranscriptList(folder: string): Promise<Recording[]> {
  const text = await readFile(path.join(folder, 'speech/transcripts.tsv'), 'utf8');
  const lines = text.trimEnd().split('\n').slice(1);
  return lines.map((line) => {
    const [file = '', language = '', transcript = ''] = line.split('\t');
    return { file, language, transcript };
  });
}

/** The folder of a recording, without what all have in common. */
export function groupOf({ file }: Recording): string {
  return path.dirname(file).replace(/^speech\//, '');
}
