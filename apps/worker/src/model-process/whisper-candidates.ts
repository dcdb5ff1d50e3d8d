import { createHash } from 'node:crypto';
import { AppError } from '@studymate/contracts/errors';
import type { WorkContext } from '@studymate/models/serve-model';
import { type CandidateRanking, toRanking, toSpellings } from '@studymate/speech/candidates';
import { createLogMel } from '@studymate/speech/log-mel';
import { countTrieTokens, createTokenTrie, type TokenTrieNode } from '@studymate/speech/token-trie';
import { languagesWrittenLike } from '@studymate/speech/written-languages';
import { mustKnowLanguage } from './whisper-languages.ts';
import type { WhisperModel } from './whisper-model.ts';
import type { Prefix } from './whisper-prefix.ts';
import { logOfSum, softmaxOver } from './whisper-sampling.ts';
import { withLead } from './whisper-transcribe.ts';

export interface RankCandidatesPayload {
  /** Signed 16-bit, 16 kHz, mono, at most 30 s. */
  samples: Int16Array;
  /** At least one text; see `candidatesSchema`. */
  candidates: string[];
  /** Whisper's code, or null to find it among the languages that are written like the candidates. */
  language: string | null;
}

export interface RankedCandidates extends CandidateRanking {
  language: string;
  /** Among all languages. */
  languageProbability: number;
}

export interface CandidateRanker {
  /**
   * May be called again while a call awaits its `pause`.
   * @throws AppError `invalid_request` when the candidates are too long together; the signal's reason when aborted
   */
  rank(payload: RankCandidatesPayload, context?: Partial<WorkContext>): Promise<RankedCandidates>;
}

/**
 * Tokens to be fed for one request, shared beginnings once: about 3 ms each with whisper-base. Forty Arabic words have
 * 110, two hundred phrases of four words about 1,200.
 */
const maxTokens = 3_000;
/** So many are fed in one run: each gives 0.2 MB of logits. */
const tokensAtOnce = 16;
/** Candidate lists of which the likelihood under silence is kept, 8 bytes a spelling: an application has few. */
const maxKeptLists = 64;

/** <|startoftranscript|>, language, task, <|notimestamps|>. */
const promptLength = 4;

type Context = Partial<WorkContext>;

export function createCandidateRanker(model: WhisperModel): CandidateRanker {
  const { tokens } = model;
  const logMel = createLogMel(model.melBandCount);
  const languageCodes = [...tokens.languageIds.keys()];
  const languageIds = [...tokens.languageIds.values()];
  /** By language and list, the one used last at the end. */
  const underSilence = new Map<string, readonly number[]>();

  const encode = (samples: Int16Array) => model.encode(1, async () => logMel.compute(withLead(samples)));

  /** The log probability of each sequence after what was fed, its end not counted. */
  const scoreAll = async (start: Prefix, trie: TokenTrieNode, context: Context): Promise<number[]> => {
    const scores: number[] = [];
    const visit = async (node: TokenTrieNode, before: Prefix, sum: number): Promise<void> => {
      let prefix = before;
      let score = sum;
      for (let from = 0; from < node.tokens.length; from += tokensAtOnce) {
        await context.pause?.();
        context.signal?.throwIfAborted();
        const fed = node.tokens.slice(from, from + tokensAtOnce);
        let logits = prefix.logits.at(-1) as Float32Array;
        prefix = await prefix.extend(fed);
        for (const [i, token] of fed.entries()) {
          score += (logits[token] as number) - logOfSum(logits);
          logits = prefix.logits[i] as Float32Array;
        }
      }
      for (const end of node.ends) scores[end] = score;
      for (const child of node.children) await visit(child, prefix, score);
    };
    await visit(trie, start, 0);
    return scores;
  };

  const findLanguage = (logits: Float32Array, payload: RankCandidatesPayload) => {
    // An English-only model has no tokens for languages.
    if (languageIds.length === 0) return { language: 'en', languageProbability: 1 };
    const shares = softmaxOver(logits, languageIds);
    const shareOf = (code: string) => shares[languageCodes.indexOf(code)] ?? 0;
    const possible = languagesWrittenLike(payload.candidates, languageCodes);
    const likeliest = possible.reduce((best, code) => (shareOf(code) > shareOf(best) ? code : best));
    const language = payload.language ?? likeliest;
    return { language, languageProbability: shareOf(language) };
  };
  const start = async (samples: Int16Array): Promise<Prefix> =>
    model.startPrefix(await encode(samples), [tokens.startOfTranscript]);
  const enterLanguage = (started: Prefix, language: string): Promise<Prefix> =>
    started.extend([
      ...(languageIds.length === 0 ? [] : [tokens.languageIds.get(language) as number, tokens.transcribe]),
      tokens.noTimestamps,
    ]);

  /** Kept by whole lists: what stands beside a text in a run changes its score in the last digits. */
  const scoreUnderSilence = async (language: string, trie: TokenTrieNode, list: string, context: Context) => {
    const key = createHash('sha256').update(`${language}\n${list}`).digest('base64');
    const kept = underSilence.get(key);
    underSilence.delete(key);
    // Any length of digital silence gives the same features.
    const scores =
      kept ?? (await scoreAll(await enterLanguage(await start(new Int16Array(0)), language), trie, context));
    underSilence.set(key, scores);
    for (const oldest of underSilence.keys()) {
      if (underSilence.size <= maxKeptLists) break;
      underSilence.delete(oldest);
    }
    return scores;
  };

  return {
    async rank(payload, context = {}) {
      mustKnowLanguage(tokens, payload.language);
      const spellings = payload.candidates.map(toSpellings);
      const sequences = spellings.flat().map(tokens.encode);
      const trie = createTokenTrie(sequences);
      requireFit(trie, sequences, model.maxPositions - promptLength);
      const started = await start(payload.samples);
      const { language, languageProbability } = findLanguage(started.logits[0] as Float32Array, payload);
      const underSound = await scoreAll(await enterLanguage(started, language), trie, context);
      const list = JSON.stringify(spellings);
      const silence = await scoreUnderSilence(language, trie, list, context);
      let from = 0;
      const likelihoods = spellings.map(({ length }) => {
        const its = underSound.slice(from, from + length).map((score, i) => ({
          underSound: score,
          underSilence: silence[from + i] as number,
        }));
        from += length;
        return its;
      });
      return { ...toRanking(likelihoods), language, languageProbability };
    },
  };
}

/** @throws AppError `invalid_request` */
function requireFit(trie: TokenTrieNode, sequences: readonly (readonly number[])[], maxSequence: number): void {
  const longest = Math.max(...sequences.map(({ length }) => length));
  const together = countTrieTokens(trie);
  if (longest <= maxSequence && together <= maxTokens) return;
  const message =
    longest > maxSequence
      ? `one has ${longest} tokens; the model can take ${maxSequence}`
      : `together they have ${together} tokens; ${maxTokens} are allowed. Give fewer, or shorter ones`;
  throw new AppError('invalid_request', `candidates: ${message}.`);
}
