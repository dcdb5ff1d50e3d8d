import { expect, test } from 'vitest';
import { createProgress } from '../lib/progress.mjs';

const toState = (status: string, etaSeconds: number | null) => ({
  lecture: {
    status,
    queue: { position: status === 'running' ? 0 : null, etaSeconds },
    stages: [{ name: 'ingest', status: status === 'running' ? 'running' : 'done', progress: 0.5 }],
  },
  uploaded: 1,
  lastText: '',
});

function show(state: ReturnType<typeof toState>, isTTY: boolean): string {
  let written = '';
  const out = { isTTY, columns: 120, write: (text: string) => (written += text) };
  createProgress(out as unknown as NodeJS.WriteStream).show(state);
  return written;
}

test.each([true, false])(
  'progress of a lecture that has ended (terminal: %s): no estimate, though one is left over',
  (isTTY) => {
    for (const status of ['ready', 'partial', 'failed', 'cancelled']) {
      expect(show(toState(status, 1), isTTY)).toContain(`${status} · 1 of 1 steps done`);
      expect(show(toState(status, 1), isTTY)).not.toContain('left');
    }
    expect(show(toState('running', 12), isTTY)).toContain('about 12 s left');
  },
);
