import type { SegmentDecoding } from '@studymate/contracts/artifacts';
import type { Segment } from '@studymate/contracts/transcript';
import { compressionRatio } from '@studymate/speech/compression-ratio';
import { languages } from '@studymate/speech/languages';
import { toSrt, toVtt } from '@studymate/speech/subtitles';
import type { AudioRequest } from './audio-request.ts';

/** What was heard, whichever way it was made. */
export interface AudioResult {
  task: 'transcribe' | 'translate';
  language: string | null;
  durationSeconds: number;
  text: string;
  segments: Segment[];
  /** One for each segment; null where they are not known. */
  decodings: SegmentDecoding[] | null;
}

const json = 'application/json; charset=utf-8';
/** Whisper counts sound in frames of 10 ms. */
const seekPerSecond = 100;

/** The body in the form that was asked for, as OpenAI's audio routes give it; times in seconds. */
export function toAudioAnswer(request: AudioRequest, result: AudioResult): { contentType: string; body: string } {
  switch (request.format) {
    // The SDK of npm decides by the content type whether to parse: these must not be served as JSON.
    case 'text':
      return { contentType: 'text/plain; charset=utf-8', body: `${result.text}\n` };
    case 'srt':
      return { contentType: 'application/x-subrip; charset=utf-8', body: toSrt(result.segments) };
    case 'vtt':
      return { contentType: 'text/vtt; charset=utf-8', body: toVtt(result.segments) };
    case 'json':
      return { contentType: json, body: JSON.stringify({ text: result.text, usage: toUsage(result) }) };
    case 'verbose_json':
      return { contentType: json, body: JSON.stringify(toVerbose(request, result)) };
  }
}

/** Whole seconds, as OpenAI counts them. */
export function toUsage({ durationSeconds }: Pick<AudioResult, 'durationSeconds'>) {
  return { type: 'duration', seconds: Math.ceil(durationSeconds) };
}

function toVerbose({ granularities, temperature }: AudioRequest, result: AudioResult) {
  const { task, language, durationSeconds, text, segments } = result;
  return {
    task,
    language: (language && languages[language]?.toLowerCase()) ?? 'unknown',
    duration: durationSeconds,
    text,
    ...(granularities.has('word') && {
      words: segments.flatMap(({ words }) => words.map(({ word, start, end }) => ({ word, start, end }))),
    }),
    ...(granularities.has('segment') && {
      segments: segments.map(({ id, start, end, text, confidence }, i) => {
        const decoding = result.decodings?.[i];
        return {
          id,
          seek: Math.round((decoding?.windowStart ?? start) * seekPerSecond),
          start,
          end,
          text: ` ${text}`,
          tokens: decoding?.tokens ?? [],
          temperature: decoding?.temperature ?? temperature,
          avg_logprob: decoding?.averageLogProbability ?? Math.log(Math.max(confidence, 1e-4)),
          compression_ratio: decoding?.compressionRatio ?? compressionRatio(text),
          no_speech_prob: decoding?.noSpeechProbability ?? 0,
        };
      }),
    }),
    usage: toUsage(result),
  };
}
