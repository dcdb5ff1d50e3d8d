import type { Recognition } from '@studymate/contracts/lecture-record';
import type { Lease } from '@studymate/models/model-family';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { guardWindow } from './guard-windows.ts';
import { runTranscribeWindows } from './model-ops.ts';

/** So many go to the model together: as many as it decodes side by side, and no more, so that progress can be told. */
const windowsAtOnce = 4;

export interface TranscribeInOrderOptions {
  /** ISO 639-1, or null to have it recognised. */
  language: string | null;
  /** Where no language is given: what the recording has been in so far. Default: what its first words are in. */
  expectedLanguage?: string | null;
  recognition?: Recognition | undefined;
  priority: number;
  signal: AbortSignal;
  /** Called when the first `count` windows are done. */
  onDone?: (count: number) => Promise<void>;
}

/**
 * Transcribes windows of one recording, with word times. Which windows go together does not depend on what is known of
 * the language: it is known earlier or later as other chunks are done, and the text must be the same.
 * @param windows samples, signed 16-bit, 16 kHz, mono
 * @returns a transcript for each, and the seconds inside the model process
 */
export async function transcribeInOrder(
  lease: Lease,
  windows: readonly Int16Array[],
  options: TranscribeInOrderOptions,
): Promise<{ results: WindowTranscript[]; seconds: number }> {
  const { language, recognition = {}, priority, signal, onDone } = options;
  let expectedLanguage = options.expectedLanguage ?? null;
  const results: WindowTranscript[] = [];
  let inferenceSeconds = 0;
  while (results.length < windows.length) {
    const group = windows.slice(results.length, results.length + windowsAtOnce);
    const payload = { windows: group, language, expectedLanguage, wordTimes: true, ...recognition };
    const { value, seconds } = await runTranscribeWindows(lease, payload, { priority, signal });
    inferenceSeconds += seconds;
    for (const [i, result] of value.entries()) {
      // The windows of the first group chose a language together; one of them, shortened, may sound like any.
      const expected = expectedLanguage ?? (group.length > 1 ? result.language : null);
      const guard = { language, expectedLanguage: expected, recognition, priority, signal };
      const guarded = await guardWindow(lease, group[i] as Int16Array, result, guard);
      results.push(guarded.result);
      inferenceSeconds += guarded.seconds;
    }
    expectedLanguage ??= results.find(isSureOfLanguage)?.language ?? null;
    await onDone?.(results.length);
  }
  // What is written is English then, whatever was spoken.
  const written = recognition.translate ? results.map((result) => ({ ...result, language: 'en' })) : results;
  return { results: written, seconds: inferenceSeconds };
}

/** Music or a few words may sound like any language. */
function isSureOfLanguage({ text, languageProbability }: WindowTranscript): boolean {
  return text !== '' && languageProbability >= 0.5;
}
