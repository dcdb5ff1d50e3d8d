import {
  createChunker,
  createWindowCutter,
  frameSamples,
  type SampleWindow,
  type WindowGroup,
} from '@studymate/speech/cut-windows';

/**
 * Cuts a recording as the ingest stage does, but with all the voice probabilities at hand.
 * @param detect gives one probability for each whole frame of 512 samples
 * @returns the sound of the windows, chunk by chunk
 */
export async function cutRecording(
  samples: Int16Array,
  detect: (samples: Int16Array) => Promise<ArrayLike<number>>,
): Promise<Int16Array[][]> {
  const cutter = createWindowCutter();
  const chunker = createChunker();
  const groups: WindowGroup[] = [];
  const take = (windows: readonly SampleWindow[]) => {
    for (const window of windows) {
      const group = chunker.push(window);
      if (group) groups.push(group);
    }
  };
  take(cutter.push(await detect(samples.subarray(0, samples.length - (samples.length % frameSamples)))));
  take(cutter.flush(samples.length));
  const last = chunker.flush();
  if (last) groups.push(last);
  return groups.map(({ windows }) =>
    windows.map(({ startSample, endSample }) => samples.slice(startSample, endSample)),
  );
}
