import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { toComparedWords } from '@studymate/speech/match-words';
import { startSystem } from '../e2e/support/running-system.ts';
import { median, quantile, round } from './lib/statistics.ts';
import { groupOf, type Recording, readTranscriptList } from './lib/transcript-list.ts';

export const about =
  'which of some texts is spoken, by group: FOLDER with speech/transcripts.tsv [part of a path] [every nth]';

/** Groups in which few texts are said again and again: each is then a candidate for every recording of its group. */
const maxTexts = 60;

interface Outcome {
  isFirst: boolean;
  isExact: boolean;
  probability: number;
  confidence: number;
  seconds: number;
}

/** Sends each recording with all texts of its group as candidates, its language given, over HTTP to a warm system. */
export async function run(args: string[], note: (text: string) => void) {
  const [folder, only = '', step = '1'] = args;
  if (!folder) throw new Error('give the folder that holds speech/transcripts.tsv');
  const all = await readTranscriptList(folder);
  const system = await startSystem();
  try {
    const figures: Record<string, unknown> = {};
    for (const [group, recordings] of byGroup(all)) {
      const candidates = [...new Set(recordings.map(({ transcript }) => transcript))];
      if (candidates.length < 2 || candidates.length > maxTexts || candidates.length * 2 > recordings.length) continue;
      const wanted = recordings.filter(({ file }, i) => file.includes(only) && i % Number(step) === 0);
      if (wanted.length === 0) continue;
      const outcomes: Outcome[] = [];
      const rank = async ({ file, language, transcript }: Recording) => {
        const clip = new File([await readFile(path.join(folder, file))], path.basename(file));
        const startMs = performance.now();
        const answer = await system.client.transcribe(clip, { language, candidates, fresh: true });
        const seconds = (performance.now() - startMs) / 1000;
        const [first = { text: '', probability: 0 }] = answer.candidates ?? [];
        const isExact =
          toComparedWords(answer.text, language).join(' ') === toComparedWords(transcript, language).join(' ');
        const { candidatesConfidence: confidence = 0 } = answer;
        return { isFirst: first.text === transcript, isExact, probability: first.probability, confidence, seconds };
      };
      // The model loads, and the list's likelihood under silence is found.
      await rank(recordings[0] as Recording);
      for (const recording of wanted) {
        outcomes.push(await rank(recording));
        if (outcomes.length % 20 === 0) note(`${group}: ${outcomes.length}`);
      }
      figures[group] = { candidates: candidates.length, ...summarise(outcomes) };
    }
    return figures;
  } finally {
    await system.close();
  }
}

function byGroup(recordings: readonly Recording[]): Map<string, Recording[]> {
  const groups = new Map<string, Recording[]>();
  for (const recording of recordings) {
    const group = groupOf(recording);
    groups.set(group, [...(groups.get(group) ?? []), recording]);
  }
  return groups;
}

function summarise(outcomes: readonly Outcome[]) {
  const share = (test: (outcome: Outcome) => boolean) => round(outcomes.filter(test).length / outcomes.length, 4);
  const seconds = outcomes.map((outcome) => outcome.seconds);
  return {
    recordings: outcomes.length,
    firstIsRight: share(({ isFirst }) => isFirst),
    plainTextIsRight: share(({ isExact }) => isExact),
    calibrationError: round(calibrationError(outcomes), 4),
    confidenceMedian: round(median(outcomes.map(({ confidence }) => confidence))),
    secondsMedian: round(median(seconds)),
    secondsP95: round(quantile(seconds, 0.95)),
  };
}

/** The mean distance between the first one's probability and how often it is right, in ten bins (expected calibration error). */
function calibrationError(outcomes: readonly Outcome[]): number {
  let sum = 0;
  for (let bin = 0; bin < 10; bin++) {
    const its = outcomes.filter(({ probability }) => Math.min(9, Math.floor(probability * 10)) === bin);
    const right = its.filter(({ isFirst }) => isFirst).length;
    sum += Math.abs(its.reduce((total, { probability }) => total + probability, 0) - right);
  }
  return sum / outcomes.length;
}
