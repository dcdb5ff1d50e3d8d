import { sampleRate } from '@studymate/speech/log-mel';
import { type SpeechStretch, spreadOverSpeech } from '@studymate/speech/speech-stretches';
import { createCandidateRanker } from '../whisper-candidates.ts';
import { loadWhisperModel } from '../whisper-model.ts';
import { createWhisperTranscriber } from '../whisper-transcribe.ts';
import type { SpeechEngine, SpeechEngineOptions } from './speech-engine.ts';
import { toWords } from './to-words.ts';

/**
 * Our own loop over the graphs of an ONNX export: batched where the folder has our batched decoder, else one window at a
 * time with the usual merged one. An export that gives no attention has no word times: they are estimated.
 * @throws AppError `model_missing`, `model_damaged`
 */
export async function loadOnnxEngine(options: SpeechEngineOptions): Promise<SpeechEngine> {
  const model = await loadWhisperModel({ folder: options.model, threads: options.threads, device: options.device });
  const transcriber = createWhisperTranscriber(model);
  const ranker = createCandidateRanker(model);
  return {
    async transcribe(payload, context) {
      const transcripts = await transcriber.transcribe(payload, context);
      if (model.timesWords) return transcripts;
      for (const [i, transcript] of transcripts.entries()) {
        const { words } = transcript;
        if (words.length === 0) continue;
        const samples = payload.windows[i] as Int16Array;
        const seconds = samples.length / sampleRate;
        const texts = words.map(({ word }) => word);
        const spans = spreadOverSpeech(texts, await options.findSpeech(samples), seconds);
        transcript.words = toWords(
          words.map(({ word, probability, logProbabilities, tokens = [] }, j) => {
            const { start, end } = spans[j] as SpeechStretch;
            return { text: word, tokens, probabilities: [probability], logProbabilities, start, end };
          }),
          seconds,
        );
      }
      return transcripts;
    },
    rank: ranker.rank,
    close: () => model.close(),
  };
}
