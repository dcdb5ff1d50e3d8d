/**
 * Which of some given texts is spoken. A text is likely under the sound for two reasons: because it is said, or because
 * the model expects such a text anyway. The second is known from its likelihood under silence, and taken off.
 */

/**
 * How much of the likelihood under silence is taken off. Measured on single Arabic words, 40 to choose from: 1 favours
 * texts that are unlikely in the language as such, 0 those that are usual (docs/measurements.md).
 */
const silenceShare = 0.9;
/** Fitted on the same words and on English digits, so that probabilities are as often right as they say. */
const temperature = 0.65;

/**
 * How much likelier than under silence the best text has to be for even odds that it is said at all, and how fast the odds
 * rise (logistic). Fitted on the same words, with and without the right one among the candidates.
 */
const evenGain = 3.6;
const gainScale = 0.85;

/** The natural logarithm of a text's probability, its end not counted. */
export interface SpellingLikelihood {
  underSound: number;
  underSilence: number;
}

/** Texts that differ in nothing that can be heard are one: composed characters, single spaces. */
export function normaliseCandidate(text: string): string {
  return text.normalize('NFC').trim().replace(/\s+/gu, ' ');
}

/**
 * The forms in which a text may stand in what Whisper writes: as given, and with a capital or a small first letter.
 * A word begins with a space there.
 */
export function toSpellings(text: string): string[] {
  const plain = normaliseCandidate(text);
  const [first = '', ...rest] = plain;
  const forms = [plain, first.toLocaleUpperCase('en') + rest.join(''), first.toLocaleLowerCase('en') + rest.join('')];
  return [...new Set(forms)].map((form) => ` ${form}`);
}

export interface CandidateRanking {
  /** In the order of the candidates: the probability that it is the one that is spoken. They add up to 1. */
  probabilities: number[];
  /** The probability that any of them is what is spoken. */
  anyProbability: number;
}

/** @param candidates by candidate: its spellings' likelihoods, at least one */
export function toRanking(candidates: readonly (readonly SpellingLikelihood[])[]): CandidateRanking {
  const scores = candidates.map(
    (spellings) =>
      logSum(spellings.map(({ underSound, underSilence }) => underSound - silenceShare * underSilence)) / temperature,
  );
  const total = logSum(scores);
  const gains = candidates.flat().map(({ underSound, underSilence }) => underSound - underSilence);
  return {
    probabilities: scores.map((score) => Math.exp(score - total)),
    anyProbability: 1 / (1 + Math.exp((evenGain - Math.max(...gains)) / gainScale)),
  };
}

function logSum(values: readonly number[]): number {
  const greatest = Math.max(...values);
  return greatest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - greatest), 0));
}
