/** Choosing the next token from logits. Pure; probabilities are those of the whole vocabulary before suppression. */
export interface Choice {
  token: number;
  /** Among the whole vocabulary. */
  logProbability: number;
  /** Among the tokens that were allowed here, as openai/whisper averages it. */
  allowedLogProbability: number;
}

export interface TokenChooser {
  /**
   * @param logits one row, [vocabulary]
   * @param temperature 0 takes the likeliest
   */
  choose(logits: Float32Array, options: { atStart: boolean; temperature: number }): Choice;
  /** The likeliest ones, likeliest first. */
  chooseMany(logits: Float32Array, options: { atStart: boolean; count: number }): Choice[];
}

/** Logits this far below the greatest add nothing that could be seen. */
const negligible = 24;
/**
 * Most of the vocabulary lies far below the greatest logit. Of these, exponentials come from a table, right to .2 %:
 * 1.1 ms a token less than computing them all.
 */
const exactUpTo = 4;
const tailSteps = 256;

function createTailTable(): Float64Array {
  // Each entry is the middle of its step, so that errors cancel.
  return Float64Array.from({ length: negligible * tailSteps + 1 }, (_, i) => Math.exp(-(i + 0.5) / tailSteps));
}

export interface TokenChooserOptions {
  /** Ids above this one (languages, tasks, times) are never text; it is the end of text itself. */
  endOfText: number;
  suppressed: readonly number[];
  suppressedAtStart: readonly number[];
  /** Numbers in [0, 1): sampling must give the same text for the same sound. */
  random: () => number;
}

export function createTokenChooser(options: TokenChooserOptions): TokenChooser {
  const { endOfText, random } = options;
  const tailTable = createTailTable();
  const allowed = new Uint8Array(endOfText + 1).fill(1);
  for (const token of options.suppressed) if (token <= endOfText) allowed[token] = 0;
  const allowedAtStart = allowed.slice();
  for (const token of options.suppressedAtStart) if (token <= endOfText) allowedAtStart[token] = 0;

  /** Two passes over 51,865 logits, whatever is wanted of them: this runs for every token. */
  const survey = (logits: Float32Array, mask: Uint8Array) => {
    let best = 0;
    let bestLogit = Number.NEGATIVE_INFINITY;
    let greatest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < logits.length; i++) {
      const logit = logits[i] as number;
      if (logit > greatest) greatest = logit;
      if (logit > bestLogit && mask[i] === 1) {
        bestLogit = logit;
        best = i;
      }
    }
    let sum = 0;
    let allowedSum = 0;
    for (let i = 0; i < logits.length; i++) {
      const below = greatest - (logits[i] as number);
      if (below >= negligible) continue;
      const share = below < exactUpTo ? Math.exp(-below) : (tailTable[(below * tailSteps) | 0] as number);
      sum += share;
      if (mask[i] === 1) allowedSum += share;
    }
    return { best, bestLogit, greatest, sum, allowedSum };
  };

  return {
    choose(logits, { atStart, temperature }) {
      const mask = atStart ? allowedAtStart : allowed;
      const { best, bestLogit, greatest, sum, allowedSum } = survey(logits, mask);
      const token = temperature > 0 ? sample(logits, mask, bestLogit, temperature, random) : best;
      return toChoice(token, (logits[token] as number) - greatest, sum, allowedSum);
    },
    chooseMany(logits, { atStart, count }) {
      const mask = atStart ? allowedAtStart : allowed;
      const { greatest, sum, allowedSum } = survey(logits, mask);
      return likeliest(logits, mask, count).map((token) =>
        toChoice(token, (logits[token] as number) - greatest, sum, allowedSum),
      );
    },
  };
}

/** @param below how far the token's logit is from the greatest one, at most 0 */
function toChoice(token: number, below: number, sum: number, allowedSum: number): Choice {
  // Nothing allowed may be near the greatest at all.
  const allowedLogProbability = allowedSum > 0 ? below - Math.log(allowedSum) : 0;
  return { token, logProbability: below - Math.log(sum), allowedLogProbability };
}

/** The `count` allowed tokens with the greatest logits, greatest first. */
function likeliest(logits: Float32Array, mask: Uint8Array, count: number): number[] {
  const found: number[] = [];
  let least = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < mask.length; i++) {
    const logit = logits[i] as number;
    if (mask[i] !== 1 || (logit <= least && found.length === count)) continue;
    const at = found.findIndex((other) => (logits[other] as number) < logit);
    found.splice(at < 0 ? found.length : at, 0, i);
    if (found.length > count) found.pop();
    if (found.length === count) least = logits[found[count - 1] as number] as number;
  }
  return found;
}

function sample(
  logits: Float32Array,
  mask: Uint8Array,
  greatest: number,
  temperature: number,
  random: () => number,
): number {
  let total = 0;
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 1) total += weight(logits[i] as number, greatest, temperature);
  }
  let left = random() * total;
  let chosen = 0;
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] !== 1) continue;
    const share = weight(logits[i] as number, greatest, temperature);
    if (share === 0) continue;
    chosen = i;
    left -= share;
    if (left < 0) break;
  }
  return chosen;
}

function weight(logit: number, greatest: number, temperature: number): number {
  const scaled = (logit - greatest) / temperature;
  return scaled < -negligible ? 0 : Math.exp(scaled);
}

/** Probabilities of some tokens among themselves, in their order. */
export function softmaxOver(logits: Float32Array, tokens: readonly number[]): number[] {
  const greatest = Math.max(...tokens.map((token) => logits[token] as number));
  const weights = tokens.map((token) => Math.exp((logits[token] as number) - greatest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((value) => value / sum);
}

/** Logarithm of the sum of the logits' exponentials: what a logit has to be less to be a log probability. */
export function logOfSum(logits: Float32Array): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) greatest = Math.max(greatest, logits[i] as number);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const below = greatest - (logits[i] as number);
    if (below < negligible) sum += Math.exp(-below);
  }
  return greatest + Math.log(sum);
}

/** Probability of one token among all. */
export function probabilityOf(logits: Float32Array, token: number): number {
  const wanted = logits[token] as number;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] as number) - wanted);
  return 1 / sum;
}

/** mulberry32 (Tommy Ettinger, public domain): a small generator that starts from a seed. */
export function createSeededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Length of the tail that goes round in a circle (1 to 40 tokens, said at least four times and at least 24 tokens in
 * all), and of one round; null when there is none.
 */
export function findLoop(tokens: readonly number[]): { period: number; length: number } | null {
  for (let period = 1; period <= 40 && period * 4 <= tokens.length; period++) {
    let same = 0;
    while (
      same + period < tokens.length &&
      tokens[tokens.length - 1 - same] === tokens[tokens.length - 1 - same - period]
    )
      same++;
    const length = same + period;
    if (length >= Math.max(period * 4, 24)) return { period, length };
  }
  return null;
}
