import { createBytePairEncoder, type VocabularyBytes } from './byte-pairs.ts';
import { isUnspacedLanguage } from './languages.ts';

/** What of `tokenizer.json` is read. */
export interface TokenizerFile {
  model: { vocab: Record<string, number> };
  added_tokens: readonly { id: number; content: string }[];
}

/** What of `generation_config.json` is read. */
export interface GenerationConfigFile {
  suppress_tokens?: readonly number[] | null;
  begin_suppress_tokens?: readonly number[] | null;
  /** [layer, head] pairs whose cross-attention follows the sound. */
  alignment_heads?: readonly (readonly [number, number])[] | null;
  lang_to_id?: Record<string, number>;
  is_multilingual?: boolean;
}

export interface WhisperTokens {
  /** Ids from 0 below this one are text; it is `<|endoftext|>` itself. */
  endOfText: number;
  startOfTranscript: number;
  transcribe: number;
  translate: number;
  noTimestamps: number;
  noSpeech: number;
  /** Language code → id, and the way back. */
  languageIds: ReadonlyMap<string, number>;
  languageOf: ReadonlyMap<number, string>;
  /** Never spoken: signs and sounds in brackets, as the checkpoint lists them. */
  suppressed: readonly number[];
  /** Not allowed as the very first token: blank and end of text. */
  suppressedAtStart: readonly number[];
  alignmentHeads: readonly (readonly [number, number])[];
  /** The text of text tokens; others are left out. Bytes that are not UTF-8 become U+FFFD. */
  decode(tokens: readonly number[]): string;
  /** The tokens of a short text, as training had them: a word in running text begins with a space. No special tokens. */
  encode(text: string): number[];
  /**
   * Cuts text tokens into words; a leading space stays with its word. Unlike in openai/whisper, "well-known", "3.5" and
   * "l'homme" are one word each.
   */
  splitIntoWords(tokens: readonly number[], language: string | null): TokenWord[];
}

/** A word and the tokens it is made of. `firstToken` counts in the list that was split. */
export interface TokenWord {
  text: string;
  firstToken: number;
  tokenCount: number;
}

/**
 * The byte-level vocabulary of a Whisper checkpoint.
 * @throws Error when the file has no such special tokens, which means that it is not Whisper's
 */
export function createWhisperTokens(tokenizer: TokenizerFile, generation: GenerationConfigFile): WhisperTokens {
  const vocabulary = readVocabulary(tokenizer);
  const { bytes, offsets } = vocabulary;
  const special = new Map(tokenizer.added_tokens.map(({ content, id }) => [content, id]));
  const idOf = (...names: string[]): number => {
    for (const name of names) {
      const id = special.get(name) ?? tokenizer.model.vocab[name];
      if (id !== undefined) return id;
    }
    throw new Error(`The tokenizer has no ${names[0]}: it is not that of a Whisper model`);
  };
  const endOfText = idOf('<|endoftext|>');
  // Some exports do not list the languages. English-only vocabularies have their tokens too, and no use for them.
  const between = [idOf('<|startoftranscript|>'), idOf('<|translate|>')] as const;
  const inVocabulary = () =>
    [...special].filter(([token, id]) => /^<\|[a-z]{2,3}\|>$/.test(token) && id > between[0] && id < between[1]);
  const listed = generation.lang_to_id ? Object.entries(generation.lang_to_id) : null;
  const languageTokens = listed ?? (generation.is_multilingual === true ? inVocabulary() : []);
  const languageIds = new Map(languageTokens.map(([token, id]) => [token.slice(2, -2), id] as const));

  const decode = (tokens: readonly number[]): string => {
    const parts = tokens.map((token) => bytes.subarray(offsets[token] ?? 0, offsets[token + 1] ?? 0));
    return Buffer.concat(parts).toString('utf8');
  };

  return {
    endOfText,
    startOfTranscript: idOf('<|startoftranscript|>'),
    transcribe: idOf('<|transcribe|>'),
    translate: idOf('<|translate|>'),
    noTimestamps: idOf('<|notimestamps|>'),
    // Newer exports call it <|nospeech|>, the original <|nocaptions|>.
    noSpeech: idOf('<|nospeech|>', '<|nocaptions|>'),
    languageIds,
    languageOf: new Map([...languageIds].map(([code, id]) => [id, code])),
    suppressed: generation.suppress_tokens ?? [],
    suppressedAtStart: generation.begin_suppress_tokens ?? [],
    alignmentHeads: generation.alignment_heads ?? [],
    decode,
    encode: createBytePairEncoder(vocabulary),
    splitIntoWords: (tokens, language) => splitIntoWords(tokens, language, decode),
  };
}

/** GPT-2's byte-level alphabet: every byte as a printable character (openai/gpt-2, encoder.py, bytes_to_unicode). */
function readVocabulary(tokenizer: TokenizerFile): VocabularyBytes {
  const byteOf = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    byteOf.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  const special = new Set(tokenizer.added_tokens.map(({ id }) => id));
  const textById: string[] = [];
  for (const [text, id] of Object.entries(tokenizer.model.vocab)) if (!special.has(id)) textById[id] = text;
  // All bytes in one array: fifty thousand small ones take ten times the memory. Special tokens have none.
  const offsets = new Uint32Array(textById.length + 1);
  const bytes: number[] = [];
  for (let id = 0; id < textById.length; id++) {
    for (const character of textById[id] ?? '') bytes.push(byteOf.get(character) ?? 63);
    offsets[id + 1] = bytes.length;
  }
  return { bytes: Buffer.from(bytes), offsets };
}

/** As `WhisperTokens.splitIntoWords`, for tokens (or places in a list of them) that `decode` turns into text. */
export function splitIntoWords(
  tokens: readonly number[],
  language: string | null,
  decode: (tokens: readonly number[]) => string,
): TokenWord[] {
  const pieces = splitOnCharacters(tokens, decode);
  return isUnspacedLanguage(language) ? mergePunctuation(pieces) : mergeUnspaced(mergePunctuation(joinToWords(pieces)));
}

/** The smallest runs of tokens that decode to whole characters. */
function splitOnCharacters(tokens: readonly number[], decode: (tokens: readonly number[]) => string): TokenWord[] {
  const pieces: TokenWord[] = [];
  let firstToken = 0;
  for (let end = 1; end <= tokens.length; end++) {
    const text = decode(tokens.slice(firstToken, end));
    // No character has more than four bytes, so a longer run that does not decode never will.
    const incomplete = text.includes('\uFFFD') && end < tokens.length && end - firstToken < 4;
    if (incomplete) continue;
    pieces.push({ text, firstToken, tokenCount: end - firstToken });
    firstToken = end;
  }
  return pieces;
}

const punctuationOnly = /^[\p{P}\p{S}]+$/u;

function joinToWords(pieces: readonly TokenWord[]): TokenWord[] {
  const words: TokenWord[] = [];
  for (const piece of pieces) {
    const last = words.at(-1);
    if (last === undefined || piece.text.startsWith(' ') || punctuationOnly.test(piece.text.trim())) {
      words.push({ ...piece });
    } else {
      last.text += piece.text;
      last.tokenCount += piece.tokenCount;
    }
  }
  return words;
}

// openai/whisper, timing.py, add_word_timestamps
const joinsNext = '"\'“¿([{-';
const joinsPrevious = '"\'.。,，!！?？:：”)]}、';

function joins(characters: string, text: string): boolean {
  return text !== '' && characters.includes(text);
}

/** Opening signs go to the word after them, closing ones to the word before (openai/whisper, merge_punctuations). */
function mergePunctuation(words: readonly TokenWord[]): TokenWord[] {
  const merged: TokenWord[] = [];
  let opening: TokenWord | null = null;
  for (const word of words) {
    const current: TokenWord = opening === null ? { ...word } : joined(opening, word);
    opening = null;
    const last = merged.at(-1);
    if (current.text.startsWith(' ') && joins(joinsNext, current.text.trim())) opening = current;
    else if (last !== undefined && !last.text.endsWith(' ') && joins(joinsPrevious, current.text)) {
      merged[merged.length - 1] = joined(last, current);
    } else merged.push(current);
  }
  if (opening !== null) merged.push(opening);
  return merged;
}

function joined(a: TokenWord, b: TokenWord): TokenWord {
  return { text: a.text + b.text, firstToken: a.firstToken, tokenCount: a.tokenCount + b.tokenCount };
}

/** A loop ("ha-ha-ha-…") is cut somewhere, so that a word has a bounded length. */
const maxMergedLength = 64;
const partsWords = /[—…。！？、，；：]$/u;

/** What stands without a space behind a word belongs to it, except after a dash or a sign of unspaced scripts. */
function mergeUnspaced(words: readonly TokenWord[]): TokenWord[] {
  const merged: TokenWord[] = [];
  for (const word of words) {
    const last = merged.at(-1);
    const apart = last === undefined || /^\s/u.test(word.text) || /\s$/u.test(last.text) || partsWords.test(last.text);
    if (apart || last.text.length >= maxMergedLength) merged.push(word);
    else merged[merged.length - 1] = joined(last, word);
  }
  return merged;
}
