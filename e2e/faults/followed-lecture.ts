import type { StudyMateClient } from '@studymate/client/client';
import type { LectureEvent } from '@studymate/contracts/events';
import type { StageName } from '@studymate/contracts/stages';
import type { Segment } from '@studymate/contracts/transcript';
import { until } from '../support/until.ts';

export interface FollowedLecture {
  readonly id: string;
  /** The text as a client has it that keeps to the protocol: from 0 again after a fresh snapshot. */
  readonly segments: readonly Segment[];
  /** Segments that came although the client had them already, or that came too soon. */
  readonly mistakes: readonly string[];
  readonly eventCount: number;
  readonly reconnects: number;
  /** Waits for an event, from the beginning on; one that came already counts. */
  until(what: string, matches: (event: LectureEvent) => boolean): Promise<void>;
  untilText(): Promise<void>;
  untilRunning(stage: StageName): Promise<void>;
  /** Waits for the closing event, with which following ends. */
  untilEnd(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Follows a lecture as the page does, across lost connections, and keeps the books on what came. */
export function followLecture(client: StudyMateClient, id: string): FollowedLecture {
  const events: LectureEvent[] = [];
  const mistakes: string[] = [];
  let segments: Segment[] = [];
  let reconnects = 0;
  let failure: unknown = null;
  let isOver = false;
  const stop = new AbortController();

  const take = (event: LectureEvent): void => {
    if (event.type === 'snapshot') segments = [];
    if (event.type === 'segments') {
      if (event.from < segments.length) mistakes.push(`segment ${event.from} came again at ${segments.length}`);
      if (event.from > segments.length) mistakes.push(`segment ${event.from} came when ${segments.length} was due`);
      segments.push(...event.segments);
    }
    events.push(event);
  };
  const following = (async () => {
    try {
      const options = { signal: stop.signal, onReconnect: () => reconnects++ };
      for await (const event of client.followLecture(id, options)) take(event);
      isOver = true;
    } catch (error) {
      failure = error;
    }
  })();
  const untilTrue = (what: string, look: () => boolean, timeoutMs?: number) =>
    until(
      `${what} of lecture ${id}; last came ${JSON.stringify(events.at(-1) ?? null).slice(0, 300)}`,
      () => {
        if (failure) throw failure;
        return look();
      },
      { ...(timeoutMs !== undefined && { timeoutMs }), everyMs: 1 },
    );

  return {
    id,
    get segments() {
      return segments;
    },
    mistakes,
    get eventCount() {
      return events.length;
    },
    get reconnects() {
      return reconnects;
    },
    async until(what, matches) {
      await untilTrue(what, () => events.some(matches));
    },
    async untilText() {
      await untilTrue('text', () => segments.length > 0);
    },
    async untilRunning(stage) {
      const isIt = (event: LectureEvent) =>
        event.type === 'stage' && event.stage.name === stage && event.stage.status === 'running';
      await untilTrue(`${stage} running`, () => events.some(isIt));
    },
    async untilEnd(timeoutMs) {
      await untilTrue('end', () => isOver, timeoutMs);
    },
    async close() {
      stop.abort();
      await following;
    },
  };
}
