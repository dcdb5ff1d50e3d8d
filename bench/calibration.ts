import path from 'node:path';
import { judgeWords } from '@studymate/speech/match-words';
import { confidenceOf, rawProbability, toSignals } from '@studymate/speech/word-confidence';
import { type Forecast, toCalibrationFigures } from './lib/calibration-figures.ts';
import { type Example, fitLogistic } from './lib/logistic-regression.ts';
import { openRecordingTranscriber, readRecordings } from './lib/speech-recordings.ts';
import { round } from './lib/statistics.ts';

export const about =
  'whether words are right as often as their probabilities say: FOLDER with speech/transcripts.tsv [part of a path] [--fit]';

interface JudgedWord extends Example {
  group: string;
  file: string;
  /** Before and after it is put right by the numbers in packages/speech. */
  raw: number;
  calibrated: number;
}

const foldCount = 5;

async function transcribeAll(folder: string, only: string | undefined, note: (text: string) => void) {
  const recordings = await readRecordings(folder, only);
  const transcriber = await openRecordingTranscriber();
  const judged: JudgedWord[] = [];
  try {
    for (const [i, { file, group, language, transcript }] of recordings.entries()) {
      const windows = await transcriber.transcribe(path.join(folder, file), language);
      const heard = windows.flatMap((window) =>
        window.words.map((word, index) => ({ word, signals: toSignals(word, index === 0, window) })),
      );
      const verdicts = judgeWords(
        heard.map(({ word }) => word.word),
        transcript,
        language,
      );
      heard.forEach(({ word, signals }, index) => {
        const verdict = verdicts[index];
        if (signals === null || verdict === 'not_compared') return;
        const known = { raw: rawProbability(word), calibrated: word.probability, outcome: verdict === 'right' };
        judged.push({ group, file, signals, ...known });
      });
      if (i % 50 === 49) note(`${i + 1} of ${recordings.length}`);
    }
  } finally {
    await transcriber.close();
  }
  return judged;
}

/** Probabilities of the words by a fit on all words of other parts. */
function heldOut(words: readonly JudgedWord[], partOf: (word: JudgedWord) => string | number): Forecast[] {
  const parts = new Set(words.map(partOf));
  const fits = new Map([...parts].map((part) => [part, fitLogistic(words.filter((word) => partOf(word) !== part))]));
  return words.map((word) => {
    const [constant, ...weights] = fits.get(partOf(word)) as number[];
    return { probability: confidenceOf(word.signals, weights, constant), outcome: word.outcome };
  });
}

function toFigures(words: readonly JudgedWord[], forecasts: Record<string, readonly Forecast[]>) {
  const groups = ['all', ...new Set(words.map(({ group }) => group))];
  return Object.fromEntries(
    groups.map((group) => {
      const isIn = (_: unknown, i: number) => group === 'all' || words[i]?.group === group;
      const right = words.filter(isIn).filter(({ outcome }) => outcome).length;
      const count = words.filter(isIn).length;
      const figures = Object.entries(forecasts).map(([name, all]) => [name, toCalibrationFigures(all.filter(isIn))]);
      return [group, { words: count, rightShare: round(right / count), ...Object.fromEntries(figures) }];
    }),
  );
}

/**
 * Transcribes recordings with their languages given, and holds each word's probability against whether it is right:
 * the raw one, today's, and with `--fit` those of new fits, each on words of other files (five folds), of other groups.
 */
export async function run(args: string[], note: (text: string) => void) {
  const wantsFit = args.includes('--fit');
  const [folder, only] = args.filter((arg) => !arg.startsWith('--'));
  if (!folder) throw new Error('give the folder that holds speech/transcripts.tsv');
  const words = await transcribeAll(folder, only, note);
  const forecasts: Record<string, Forecast[]> = {
    before: words.map(({ raw, outcome }) => ({ probability: raw, outcome })),
    after: words.map(({ calibrated, outcome }) => ({ probability: calibrated, outcome })),
  };
  if (!wantsFit) return toFigures(words, forecasts);
  const files = [...new Set(words.map(({ file }) => file))];
  const foldOf = new Map(files.map((file, i) => [file, i % foldCount]));
  forecasts.otherFiles = heldOut(words, ({ file }) => foldOf.get(file) as number);
  if (new Set(words.map(({ group }) => group)).size > 1) forecasts.otherGroups = heldOut(words, ({ group }) => group);
  const [constant = 0, ...weights] = fitLogistic(words);
  return {
    ...toFigures(words, forecasts),
    fit: { intercept: round(constant), signalWeights: weights.map((weight) => round(weight)) },
  };
}
