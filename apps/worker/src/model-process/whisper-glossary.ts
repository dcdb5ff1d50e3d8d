import type { WorkContext } from '@studymate/models/serve-model';
import { findGlossaryMatches, type Glossary, type GlossaryMatch } from '@studymate/speech/glossary-matches';
import type { Attempt } from './whisper-decode.ts';
import type { Attention, EncodedWindows, WhisperModel } from './whisper-model.ts';
import type { Prefix } from './whisper-prefix.ts';

export interface CorrectTermsInput {
  model: WhisperModel;
  glossary: Glossary;
  /** With one lane. */
  window: EncodedWindows;
  prompt: readonly number[];
  attempt: Attempt;
  language: string;
  context: Partial<WorkContext>;
}

/**
 * How much likelier a term of the glossary is than the model thinks, as a natural logarithm: more for each of its tokens,
 * for a rare spelling is unlikely token by token, and as far as the model doubts what it wrote; less for what sounds
 * unlike. On made lectures the best of what would be wrong falls short by five (docs/measurements.md).
 */
const bonus = { always: 6, aToken: 1, mostForDoubt: 4, lostByDistance: 15 };
/**
 * Words that the model is so sure of (log-probability of all their tokens) are looked at only if they sound the same, and
 * that says more than that "it" sounds like "IT".
 */
const surelyRight = -0.25;
const sameSound = 0.06;
/** So many tokens behind a term must go on fitting: a term that swallows a word too many makes them unlikely. */
const tokensAfter = 2;
/** Each costs a run of the decoder of about 10 ms (two cores); a window of speech takes some 600. */
const maxLooksAWindow = 10;

interface Correction {
  firstToken: number;
  tokenCount: number;
  tokens: number[];
  /** Log-odds of the correction against what was written. */
  gain: number;
  /** Of what stands before it. */
  prefix: Prefix;
}

/**
 * Puts terms of a glossary where the text has something that sounds like one of them and the model, asked about the
 * term in that place, finds it nearly as likely. All is decided by scoring given texts under the sound; nothing is
 * decoded anew, so a text without such places stays as it is, and costs nothing.
 */
export async function correctTerms(input: CorrectTermsInput): Promise<Attempt> {
  const { model, glossary, attempt, language } = input;
  const words = model.tokens.splitIntoWords(attempt.tokens, language);
  const matches = chooseMatches(findGlossaryMatches(glossary, words, language), attempt);
  if (matches.length === 0) return attempt;

  const made: Correction[] = [];
  const walk = createWalk(input, made);
  for (const cluster of toClusters(matches)) {
    let best: Correction | null = null;
    for (const match of cluster) {
      if (!hasRoom(input, match, made)) continue;
      const correction = await weigh(input, match, await walk(match.firstToken));
      if (correction.gain > (best?.gain ?? 0)) best = correction;
    }
    if (best) made.push(best);
  }
  return made.length === 0 ? attempt : rewrite(input, made);
}

/** Those that sound most alike, slight ones last, in the order of the text. */
function chooseMatches(matches: readonly GlossaryMatch[], attempt: Attempt): GlossaryMatch[] {
  return matches
    .filter((match) => (match.distance <= sameSound && !match.isSlight) || sumOf(attempt, match) < surelyRight)
    .sort((a, b) => Number(a.isSlight) - Number(b.isSlight) || a.distance - b.distance)
    .slice(0, maxLooksAWindow)
    .sort((a, b) => a.firstToken - b.firstToken);
}

function sumOf({ logProbabilities }: Attempt, { firstToken, tokenCount }: GlossaryMatch): number {
  return logProbabilities.slice(firstToken, firstToken + tokenCount).reduce((sum, value) => sum + value, 0);
}

/** Matches that overlap compete for the same words. */
function toClusters(matches: readonly GlossaryMatch[]): GlossaryMatch[][] {
  const clusters: GlossaryMatch[][] = [];
  let end = -1;
  for (const match of matches) {
    if (match.firstToken >= end) clusters.push([]);
    clusters.at(-1)?.push(match);
    end = Math.max(end, match.firstToken + match.tokenCount);
  }
  return clusters;
}

/** Gives the prefix before a token, with the corrections made so far; places must be asked for in ascending order. */
function createWalk(input: CorrectTermsInput, made: readonly Correction[]): (place: number) => Promise<Prefix> {
  const { model, window, prompt, attempt, context } = input;
  let prefix: Prefix | null = null;
  let at = 0;
  let used = 0;
  return async (place) => {
    await context.pause?.();
    context.signal?.throwIfAborted();
    const last = made[used];
    let next: number[] = [];
    if (last) {
      used = made.length;
      prefix = last.prefix;
      next = last.tokens;
      at = last.firstToken + last.tokenCount;
    }
    next = [...next, ...attempt.tokens.slice(at, place)];
    at = place;
    if (prefix === null) prefix = await model.startPrefix(window, [...prompt, ...next]);
    else if (next.length > 0) prefix = await prefix.extend(next);
    return prefix;
  };
}

/** Whether the decoder has positions for all that is fed: the text so far, the term, and what follows it. */
function hasRoom({ model, prompt }: CorrectTermsInput, match: GlossaryMatch, made: readonly Correction[]): boolean {
  const longer = made.reduce((sum, { tokens, tokenCount }) => sum + tokens.length - tokenCount, 0);
  const termEnd = prompt.length + match.firstToken + longer + model.tokens.encode(match.text).length;
  return termEnd + tokensAfter <= model.maxPositions;
}

async function weigh(input: CorrectTermsInput, match: GlossaryMatch, prefix: Prefix): Promise<Correction> {
  const { model, attempt, context } = input;
  const { firstToken, tokenCount } = match;
  const tokens = model.tokens.encode(match.text);
  const end = firstToken + tokenCount;
  const after = attempt.tokens.slice(end, end + tokensAfter);
  await context.pause?.();
  context.signal?.throwIfAborted();
  const wanted = [...tokens, ...after];
  const fed = wanted.slice(0, -1);
  const rows = [prefix.logits.at(-1) as Float32Array, ...(fed.length > 0 ? (await prefix.extend(fed)).logits : [])];
  const likelihood = wanted.reduce((sum, token, i) => sum + logProbabilityOf(rows[i] as Float32Array, token), 0);
  const written = attempt.logProbabilities.slice(firstToken, end + after.length).reduce((sum, value) => sum + value, 0);
  const doubt = Math.min(bonus.mostForDoubt, -sumOf(attempt, match));
  const always = match.isSlight ? 0 : bonus.always;
  const earned = always + bonus.aToken * tokens.length + doubt - bonus.lostByDistance * match.distance;
  const gain = likelihood - written + earned;
  return { firstToken, tokenCount, tokens, gain, prefix };
}

/** Logits this far below the greatest add nothing that could be seen: together at most .6 %. */
const negligible = 16;

function logProbabilityOf(logits: Float32Array, token: number): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if ((logits[i] as number) > greatest) greatest = logits[i] as number;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const above = (logits[i] as number) - greatest;
    if (above > -negligible) sum += Math.exp(above);
  }
  return (logits[token] as number) - greatest - Math.log(sum);
}

/** The text with its corrections. A term's tokens have the probability of the correction against what was written. */
function rewrite({ model, prompt, attempt }: CorrectTermsInput, made: readonly Correction[]): Attempt {
  const tokens = [...attempt.tokens];
  const logProbabilities = [...attempt.logProbabilities];
  const rows = Array.from({ length: attempt.attention.rowCount }, (_, row) => row);
  for (const { firstToken, tokenCount, tokens: term, gain } of [...made].reverse()) {
    const logProbability = -Math.log1p(Math.exp(-gain));
    tokens.splice(firstToken, tokenCount, ...term);
    logProbabilities.splice(firstToken, tokenCount, ...term.map(() => logProbability));
    // The row of what was fed before a token is the one that predicts it. A term was spoken when what was written instead
    // was: it has those rows, spread over its tokens.
    const first = prompt.length - 1 + firstToken;
    const its = term.map((_, i) => first + Math.floor((i * tokenCount) / term.length));
    if (rows.length > 0) rows.splice(first, tokenCount, ...its);
  }
  if (prompt.length + tokens.length > model.maxPositions) return attempt;
  return { ...attempt, tokens, logProbabilities, attention: takeRows(attempt.attention, rows) };
}

function takeRows({ attention, headCount, rowCount, columnCount }: Attention, rows: readonly number[]): Attention {
  const taken = new Float32Array(headCount * rows.length * columnCount);
  for (let head = 0; head < headCount; head++) {
    rows.forEach((row, i) => {
      const from = (head * rowCount + row) * columnCount;
      taken.set(attention.subarray(from, from + columnCount), (head * rows.length + i) * columnCount);
    });
  }
  return { attention: taken, headCount, rowCount: rows.length, columnCount };
}
