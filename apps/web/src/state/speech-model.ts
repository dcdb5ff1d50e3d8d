import { type ReadonlySignal, signal } from '@preact/signals';
import type { StudyMateClient } from '@studymate/client/client';
import type { ModelStatus } from '@studymate/contracts/models';

export interface SpeechModel {
  /** null before it is known. */
  status: ReadonlySignal<ModelStatus | null>;
  close(): void;
}

const loadingMs = 1_000;
const idleMs = 30_000;

/**
 * Has the speech model loaded while a recording is chosen, so that its first words need not wait for that. Once: a page that
 * is left open must not keep it in memory.
 */
export function createSpeechModel(deps: { client: Pick<StudyMateClient, 'warmup' | 'modelStatus'> }): SpeechModel {
  const over = new AbortController();
  const call = { signal: over.signal };
  const status = signal<ModelStatus | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const toSpeech = (models: readonly ModelStatus[]) => models.find(({ family }) => family === 'speech') ?? null;

  let isAsked = false;

  const look = async () => {
    let nextMs = idleMs;
    try {
      if (document.hidden) return;
      const isFirst = !isAsked;
      isAsked = true;
      if (isFirst) await deps.client.warmup(['speech'], call);
      status.value = toSpeech(await deps.client.modelStatus(call));
      const state = status.peek()?.state;
      if (state === 'loading' || (isFirst && state === 'unloaded')) nextMs = loadingMs;
    } catch {
      // It is loaded when it is needed, then; the list tells when the API is away.
      status.value = null;
    } finally {
      if (!over.signal.aborted) timer = setTimeout(() => void look(), nextMs);
    }
  };
  void look();

  return {
    status,
    close() {
      over.abort();
      clearTimeout(timer);
    },
  };
}
