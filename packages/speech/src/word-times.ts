/**
 * When each token is spoken, from where the decoder looked while writing it: dynamic time warping over the
 * cross-attention of the alignment heads, as openai/whisper's timing.py does it.
 */

/** Encoder frames are 20 ms apart. */
const framesPerSecond = 50;
const medianWidth = 7;

export interface AlignmentInput {
  /**
   * Attention probabilities (each row sums to 1 over the encoder's 1500 frames), [heads, rows, columns]. A row for
   * every token fed to the decoder: first the prompt, then the text.
   */
  attention: Float32Array;
  headCount: number;
  rowCount: number;
  columnCount: number;
  /** Rows before the one that predicts the first text token; they take part in the normalising only. */
  promptRows: number;
  /** Columns that lie within the sound; the rest is padding. */
  frameCount: number;
}

/**
 * @returns for each text row the second at which its token begins, and at the end the second at which the last ends:
 *   one more entry than text rows, never decreasing
 */
export function alignTokens(input: AlignmentInput): Float64Array {
  const textRows = input.rowCount - input.promptRows;
  if (textRows <= 0 || input.frameCount <= 0) return new Float64Array(Math.max(textRows, 0) + 1);
  return warp(averageHeads(input), textRows, input.frameCount);
}

/** Normalised, smoothed and averaged over the heads: [text rows, frames]. */
function averageHeads(input: AlignmentInput): Float32Array {
  const { attention, headCount, rowCount, columnCount, promptRows, frameCount } = input;
  const textRows = rowCount - promptRows;
  const average = new Float32Array(textRows * frameCount);
  const normal = new Float32Array(rowCount * frameCount);
  const mean = new Float32Array(frameCount);
  const inverseDeviation = new Float32Array(frameCount);
  for (let head = 0; head < headCount; head++) {
    mean.fill(0);
    inverseDeviation.fill(0);
    for (let row = 0; row < rowCount; row++) {
      const from = (head * rowCount + row) * columnCount;
      // Softmax over the sound alone equals the share of what the whole softmax gave to it.
      let sum = 0;
      for (let t = 0; t < frameCount; t++) sum += attention[from + t] as number;
      const scale = sum > 0 ? 1 / sum : 0;
      const to = row * frameCount;
      for (let t = 0; t < frameCount; t++) {
        const value = (attention[from + t] as number) * scale;
        normal[to + t] = value;
        mean[t] = (mean[t] as number) + value;
      }
    }
    for (let t = 0; t < frameCount; t++) mean[t] = (mean[t] as number) / rowCount;
    for (let row = 0; row < rowCount; row++) {
      for (let t = 0; t < frameCount; t++) {
        const distance = (normal[row * frameCount + t] as number) - (mean[t] as number);
        inverseDeviation[t] = (inverseDeviation[t] as number) + distance * distance;
      }
    }
    for (let t = 0; t < frameCount; t++) {
      const variance = (inverseDeviation[t] as number) / rowCount;
      inverseDeviation[t] = variance > 0 ? 1 / Math.sqrt(variance) : 0;
    }
    for (let row = 0; row < textRows; row++) {
      const from = (promptRows + row) * frameCount;
      for (let t = 0; t < frameCount; t++) {
        normal[from + t] = ((normal[from + t] as number) - (mean[t] as number)) * (inverseDeviation[t] as number);
      }
      addMedianFiltered(normal, from, frameCount, average, row * frameCount);
    }
  }
  return average;
}

/** Adds the median of each 7 neighbouring values to `target`; beyond the ends the row is mirrored. */
function addMedianFiltered(source: Float32Array, from: number, length: number, target: Float32Array, to: number): void {
  if (length <= medianWidth >> 1) {
    for (let t = 0; t < length; t++) target[to + t] = (target[to + t] as number) + (source[from + t] as number);
    return;
  }
  // The window is kept sorted: one value leaves, one comes in. That is half the work of sorting each time.
  const sorted = new Float32Array(medianWidth);
  const at = (t: number): number => source[from + (t < 0 ? -t : t >= length ? 2 * length - 2 - t : t)] as number;
  for (let i = 0; i < medianWidth; i++) sorted[i] = at(i - 3);
  sorted.sort();
  target[to] = (target[to] as number) + (sorted[3] as number);
  for (let t = 1; t < length; t++) {
    const leaving = at(t - 4);
    const coming = at(t + 3);
    let i = 0;
    while (i < medianWidth - 1 && sorted[i] !== leaving) i++;
    while (i > 0 && (sorted[i - 1] as number) > coming) {
      sorted[i] = sorted[i - 1] as number;
      i--;
    }
    while (i < medianWidth - 1 && (sorted[i + 1] as number) < coming) {
      sorted[i] = sorted[i + 1] as number;
      i++;
    }
    sorted[i] = coming;
    target[to + t] = (target[to + t] as number) + (sorted[3] as number);
  }
}

/** The monotonic path of greatest attention; each row's begin is the frame where the path enters it. */
function warp(weights: Float32Array, rows: number, frames: number): Float64Array {
  const width = frames + 1;
  const diagonal = 0;
  const nextRow = 1;
  const nextFrame = 2;
  const trace = new Uint8Array((rows + 1) * width);
  trace.fill(nextFrame, 0, width);
  let above = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
  let current = new Float64Array(width);
  above[0] = 0;
  for (let row = 1; row <= rows; row++) {
    current[0] = Number.POSITIVE_INFINITY;
    trace[row * width] = nextRow;
    for (let t = 1; t <= frames; t++) {
      const viaDiagonal = above[t - 1] as number;
      const viaRow = above[t] as number;
      const viaFrame = current[t - 1] as number;
      let best = viaFrame;
      let step = nextFrame;
      if (viaDiagonal < viaRow && viaDiagonal < viaFrame) {
        best = viaDiagonal;
        step = diagonal;
      } else if (viaRow < viaDiagonal && viaRow < viaFrame) {
        best = viaRow;
        step = nextRow;
      }
      current[t] = best - (weights[(row - 1) * frames + t - 1] as number);
      trace[row * width + t] = step;
    }
    [above, current] = [current, above];
  }

  const starts = new Float64Array(rows + 1);
  starts[rows] = frames / framesPerSecond;
  let row = rows;
  let t = frames;
  while (row > 0 || t > 0) {
    if (row > 0) starts[row - 1] = Math.max(t - 1, 0) / framesPerSecond;
    const step = trace[row * width + t];
    if (step !== nextFrame) row--;
    if (step !== nextRow) t--;
  }
  return starts;
}

export interface TimedSpan {
  start: number;
  end: number;
  /** The text ends a sentence ("." and the like). */
  endsSentence: boolean;
}

/**
 * Makes spans sane in place: a word that swallowed the pause beside a sentence's end is cut to twice the median length
 * (openai/whisper does the same), all lie within the sound, none overlap, each lasts at least 20 ms where there is room.
 */
export function tidySpans(spans: TimedSpan[], lengthSeconds: number): void {
  const lengths = spans.map((span) => span.end - span.start).filter((length) => length > 0);
  lengths.sort((a, b) => a - b);
  const median = Math.min(0.7, lengths[lengths.length >> 1] ?? 0);
  const longest = median * 2;
  for (let i = 0; i < spans.length; i++) {
    const span = spans[i] as TimedSpan;
    if (longest > 0 && span.end - span.start > longest) {
      if (span.endsSentence || i === spans.length - 1) span.end = span.start + longest;
      else if (i === 0 || spans[i - 1]?.endsSentence === true) span.start = span.end - longest;
    }
  }
  let previousEnd = 0;
  for (let i = 0; i < spans.length; i++) {
    const span = spans[i] as TimedSpan;
    const limit = spans[i + 1] === undefined ? lengthSeconds : Math.max((spans[i + 1] as TimedSpan).end, previousEnd);
    span.start = Math.min(Math.max(span.start, previousEnd), lengthSeconds);
    span.end = Math.min(Math.max(span.end, span.start + 0.02), Math.max(limit, span.start), lengthSeconds);
    previousEnd = span.end;
  }
}
