import { type Tracer, toSpanCode } from '@studymate/observability/tracer';
import type { LanguageModel } from './language-model.ts';

/** The model with a span for each answer, from the request to its last word, or to when nobody wanted more of it. */
export function traceLanguageModel(tracer: Tracer, model: LanguageModel): LanguageModel {
  if (!tracer.isOn) return model;
  return {
    ...model,
    async *write(messages, options) {
      const span = tracer.start('language model', { kind: 'client' });
      try {
        yield* model.write(messages, options);
      } catch (error) {
        span.fail(options.signal.aborted ? 'cancelled' : toSpanCode(error));
        throw error;
      } finally {
        span.end();
      }
    },
  };
}
