import type { Recognition } from '@studymate/contracts/lecture-record';
import type { Lease } from '@studymate/models/model-family';
import type { RunOptions } from '@studymate/models/model-process';
import { isBetterAlone, isDoubtful, judgeWindow, markUnvoiced } from '@studymate/speech/judge-window';
import { keepSpeechOnly, type VoiceFrames } from '@studymate/speech/voice';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { runTranscribeWindows, runVad } from './model-ops.ts';

export interface GuardOptions extends Pick<RunOptions, 'priority' | 'signal'> {
  priority: number;
  language: string | null;
  expectedLanguage: string | null;
  recognition: Recognition;
}

/**
 * Looks again at a window whose text is doubtful, whatever engine made it: where it has hardly any voice, or circles, it
 * is heard once more without what is not speech; what then still is nothing that was said goes, and words without voice
 * are marked.
 * @returns the transcript to take, and the seconds inside the model process
 */
export async function guardWindow(
  lease: Lease,
  samples: Int16Array,
  result: WindowTranscript,
  options: GuardOptions,
): Promise<{ result: WindowTranscript; seconds: number }> {
  if (!isDoubtful(result)) return { result, seconds: 0 };
  const { priority, signal, language, expectedLanguage, recognition } = options;
  const work = { priority, signal };
  const heard = await runVad(lease, { samples, leadSamples: 0 }, work);
  const frames: VoiceFrames = heard.value.probabilities;
  let { seconds } = heard;
  let best = result;
  const speech = keepSpeechOnly(samples, frames);
  if (judgeWindow(result, frames, speech !== null) === 'listen_again' && speech) {
    const payload = { windows: [speech.samples], language, expectedLanguage, wordTimes: true, ...recognition };
    const again = await runTranscribeWindows(lease, payload, work);
    seconds += again.seconds;
    const [alone] = again.value;
    // Where it is all but silent without the rest, the text was made of the rest.
    if (alone && (alone.text === '' || isBetterAlone(alone, result))) best = toWhole(alone, speech.toWhole);
  }
  const verdict = judgeWindow(best, frames, false);
  return { result: verdict === 'drop' ? toSilence(best) : markUnvoiced(best, frames), seconds };
}

function toWhole(result: WindowTranscript, toWholeSeconds: (seconds: number) => number): WindowTranscript {
  const words = result.words.map((word) => {
    const start = toWholeSeconds(word.start);
    return { ...word, start, end: Math.max(start, toWholeSeconds(word.end)) };
  });
  return { ...result, words };
}

function toSilence(result: WindowTranscript): WindowTranscript {
  return { ...result, text: '', words: [], tokens: [], compressionRatio: 0 };
}
