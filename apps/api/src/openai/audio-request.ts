import { AppError } from '@studymate/contracts/errors';
import { parseLanguage } from '@studymate/speech/languages';

export const audioFormats = ['json', 'text', 'srt', 'vtt', 'verbose_json'] as const;
export type AudioFormat = (typeof audioFormats)[number];
export type Granularity = 'segment' | 'word';

/** What a caller of OpenAI's audio routes asks for. */
export interface AudioRequest {
  model: string | null;
  /** ISO 639-1, or null to find it. */
  language: string | null;
  prompt: string | null;
  temperature: number;
  format: AudioFormat;
  stream: boolean;
  /** What `verbose_json` has. */
  granularities: ReadonlySet<Granularity>;
}

export interface AudioRequestReader {
  /** Takes a field as it comes. @throws AppError `invalid_request`, `unknown_language`; `details.param` names it */
  onField(name: string, value: string): void;
  /** When all fields have come. */
  toRequest(): AudioRequest;
}

const maxPromptLength = 4_000;

/**
 * Reads the fields of a form. Names may end in "[]", as the SDKs send arrays; what we do not know (`include[]`,
 * `chunking_strategy`, fields of later versions) is left alone, as OpenAI's own models do with what they lack.
 */
export function createAudioRequestReader(): AudioRequestReader {
  const request = {
    model: null as string | null,
    language: null as string | null,
    prompt: null as string | null,
    temperature: 0,
    format: 'json' as AudioFormat,
    stream: false,
  };
  const granularities = new Set<Granularity>();

  const readers: Record<string, (value: string) => void> = {
    model(value) {
      if (value.length > 200) throw wrong('model', 'has more than 200 characters');
      request.model = value;
    },
    language(value) {
      try {
        request.language = parseLanguage(value);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        throw new AppError(error.code, error.message, { details: { ...error.details, param: 'language' } });
      }
    },
    prompt(value) {
      if (value.length > maxPromptLength) throw wrong('prompt', `has more than ${maxPromptLength} characters`);
      request.prompt = value;
    },
    temperature(value) {
      const temperature = Number(value);
      if (!(temperature >= 0 && temperature <= 1)) throw wrong('temperature', 'is no number from 0 to 1');
      request.temperature = temperature;
    },
    response_format(value) {
      const format = audioFormats.find((name) => name === value);
      if (!format) throw wrong('response_format', `is none of ${audioFormats.join(', ')}`);
      request.format = format;
    },
    stream(value) {
      if (!/^(true|false|1|0)$/i.test(value)) throw wrong('stream', 'is neither true nor false');
      request.stream = /^(true|1)$/i.test(value);
    },
    timestamp_granularities(value) {
      if (value !== 'segment' && value !== 'word') throw wrong('timestamp_granularities', 'is none of segment, word');
      granularities.add(value);
    },
  };

  return {
    onField(name, value) {
      const bare = name.replace(/\[\d*\]$/, '');
      // A field that is sent empty means that it was not filled in.
      if (value.trim() !== '' && Object.hasOwn(readers, bare)) readers[bare]?.(value);
    },
    toRequest: () => ({
      ...request,
      granularities: granularities.size === 0 ? new Set<Granularity>(['segment']) : granularities,
    }),
  };
}

function wrong(param: string, what: string): AppError {
  return new AppError('invalid_request', `${param} ${what}.`, { details: { param } });
}
