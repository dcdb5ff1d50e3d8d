/**
 * Samples of a recording that arrive in pieces of any size and are needed again by their position: for the
 * detector in exact blocks, and for the windows that are cut later. What lies before `forget` is dropped.
 *
 * The pieces are copied into one memory. Kept as they come they would live just long enough to be taken for lasting, and
 * their sound be freed only by a full collection.
 */
export interface SampleBuffer {
  append(samples: Int16Array): void;
  /** Samples received so far, forgotten ones included. */
  readonly length: number;
  /**
   * Copies the samples from `start` to `end` (not included) to the front of `target`. The caller keeps one target for
   * many calls, for the same reason.
   * @throws RangeError when some are not there, or do not fit
   */
  copy(start: number, end: number, target: Int16Array): void;
  forget(beforeSample: number): void;
}

/** A minute of 16 kHz. What the detector and a chunk need lies between this and four minutes. */
const firstCapacity = 60 * 16_000;

export function createSampleBuffer(): SampleBuffer {
  let memory = new Int16Array(firstCapacity);
  /** Position in the recording of what lies first in `memory`, and of the first sample that is still needed. */
  let base = 0;
  let first = 0;
  let length = 0;

  /** Moves what is needed to the front; of a larger memory when little room would be left, and that again and again. */
  const makeRoom = (sampleCount: number): void => {
    const needed = length - first + sampleCount;
    const held = memory.subarray(first - base, length - base);
    if (1.25 * needed > memory.length) {
      memory = new Int16Array(Math.ceil(1.5 * needed));
      memory.set(held);
    } else memory.copyWithin(0, first - base, length - base);
    base = first;
  };

  return {
    append(samples) {
      if (length - base + samples.length > memory.length) makeRoom(samples.length);
      memory.set(samples, length - base);
      length += samples.length;
    },
    get length() {
      return length;
    },
    copy(start, end, target) {
      if (start < first || end > length) {
        throw new RangeError(`samples ${start} to ${end} are not held (${first} to ${length})`);
      }
      target.set(memory.subarray(start - base, end - base));
    },
    forget(beforeSample) {
      first = Math.max(first, Math.min(beforeSample, length));
    },
  };
}
