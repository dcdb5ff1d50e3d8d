import { toAppError } from '@studymate/contracts/errors';
import { embedResponseSchema } from '@studymate/contracts/search';
import type { QuickCalls } from '@studymate/queue/quick';
import { type QuantisedVectors, quantise } from '@studymate/study/search/quantised-vectors';
import type { Admission } from '../admission.ts';

export interface QueryVector {
  /** One row. */
  vector: QuantisedVectors;
  /** The same in full, of length 1. */
  floats: Float32Array;
  /** The model and its weights; only what was made by the same can be compared. */
  weights: string;
}

export interface QueryVectors {
  /**
   * Has a worker's text model say where a text lies. The model is loaded for it when it is cold; whoever asks next finds it
   * warm.
   * @returns null when no worker answers in time, or cannot
   * @throws AppError `cancelled` when the signal fires
   */
  embed(text: string, options: { owner: string; timeoutMs: number; signal: AbortSignal }): Promise<QueryVector | null>;
}

const maxKept = 256;
/** Weights can be exchanged while we run: what was made by the old ones is of no use then. */
const keptMs = 10 * 60_000;

export function createQueryVectors(deps: { quick: QuickCalls; admission: Pick<Admission, 'quick'> }): QueryVectors {
  /** The one that was asked for last is the last. */
  const kept = new Map<string, { made: QueryVector; sinceMs: number }>();
  return {
    async embed(text, { owner, timeoutMs, signal }) {
      const known = kept.get(text);
      kept.delete(text);
      if (known && Date.now() - known.sinceMs < keptMs) {
        kept.set(text, known);
        return known.made;
      }
      try {
        const request = { texts: [text] };
        const answer = await deps.admission.quick(owner, () =>
          deps.quick.call({ kind: 'embed', request }, { timeoutMs, signal }),
        );
        const { vectors, weights } = embedResponseSchema.parse(answer);
        const floats = Float32Array.from(vectors[0] ?? []);
        const made = { floats, weights, vector: quantise({ dimensions: floats.length, vectors: floats }) };
        kept.set(text, { made, sinceMs: Date.now() });
        for (const oldest of kept.keys()) if (kept.size > maxKept) kept.delete(oldest);
        return made;
      } catch (thrown) {
        const error = toAppError(thrown);
        if (error.code === 'cancelled' && signal.aborted) throw error;
        return null;
      }
    },
  };
}
