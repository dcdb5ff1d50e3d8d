import { AppError } from '@studymate/contracts/errors';
import { z } from 'zod';

/** What is read of the file that whisper.cpp's option -ojf writes (examples/main/main.cpp, output_json). */
const outputSchema = z.object({
  model: z.object({ multilingual: z.boolean() }),
  result: z.object({ language: z.string() }),
  transcription: z.array(
    z.object({
      text: z.string(),
      tokens: z.array(
        z.object({
          text: z.string(),
          id: z.number().int(),
          p: z.number(),
          /** Milliseconds. */
          offsets: z.object({ from: z.number(), to: z.number() }).optional(),
        }),
      ),
    }),
  ),
});

export interface SaidToken {
  id: number;
  bytes: Buffer;
  probability: number;
  /** Seconds from the beginning of the sound. */
  start: number;
  end: number;
}

export interface WhisperCppOutput {
  language: string;
  /** 0 where it was given. */
  languageProbability: number;
  tokens: SaidToken[];
}

// whisper.cpp, whisper_vocab: the end of text; ids from there on are languages, tasks and times.
const endOfText = { multilingual: 50_257, english: 50_256 };
/** A segment that names a sound instead of words: "[BLANK_AUDIO]", "(music)", "*sighs*"; the last sign is that of a note. */
const soundOnly = /^\s*(?:\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|\xe2\x99\xaa.*)\s*$/;
const detected = /auto-detected language: \w+ \(p = ([\d.]+)\)/;

/**
 * @param json the file, each of its bytes as one character (latin1): a token may end in the middle of a character of UTF-8
 * @param errorText what the program wrote to standard error, where it tells how sure it is of the language
 * @throws AppError `model_crashed` when the file is not of that form
 */
export function readWhisperCppOutput(json: string, errorText: string): WhisperCppOutput {
  const output = parse(json);
  const end = output.model.multilingual ? endOfText.multilingual : endOfText.english;
  let moment = 0;
  const spoken = output.transcription.filter(({ text }) => !soundOnly.test(text));
  const tokens = spoken.flatMap((segment) =>
    segment.tokens
      .filter(({ id }) => id < end)
      .map(({ id, text, p, offsets }) => {
        const start = Math.max(moment, (offsets?.from ?? 0) / 1000);
        moment = Math.max(start, (offsets?.to ?? 0) / 1000);
        return { id, bytes: Buffer.from(text, 'latin1'), probability: p, start, end: moment };
      }),
  );
  return {
    language: output.result.language,
    languageProbability: Number(detected.exec(errorText)?.[1] ?? 0),
    tokens,
  };
}

const quoted = /"(?:[^"\\]|\\.)*"/gs;

/** The program escapes quotes and backslashes only; other signs that JSON forbids in a text become spaces. */
function withoutControls(text: string): string {
  return [...text].map((character) => (character < ' ' ? ' ' : character)).join('');
}

function parse(json: string): z.infer<typeof outputSchema> {
  try {
    return outputSchema.parse(JSON.parse(json.replace(quoted, withoutControls)));
  } catch (cause) {
    throw new AppError('model_crashed', 'What whisper.cpp wrote cannot be read', { cause });
  }
}
