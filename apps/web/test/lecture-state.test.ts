import type { LectureEvent } from '@studymate/contracts/events';
import { describe, expect, test } from 'vitest';
import {
  applyEvent,
  emptyLectureState,
  findRetryable,
  findStage,
  hasEnded,
  type LectureState,
  withText,
} from '../src/state/lecture-state.ts';
import { toLecture, toSegments } from './lecture.ts';

const transcribing = toLecture({ status: 'running', stages: { transcribe: { status: 'running' } } });
const snapshot: LectureEvent = { type: 'snapshot', lecture: transcribing };
const text = (from: number, ...texts: string[]): LectureEvent => ({
  type: 'segments',
  from,
  segments: toSegments(from, texts),
});
const after = (...events: LectureEvent[]): LectureState => events.reduce(applyEvent, emptyLectureState);
const textOf = (state: LectureState) => state.segments.map((segment) => segment.text).join(' ');

describe('the text of a lecture that is followed', () => {
  test('grows with every event, in order', () => {
    expect(textOf(after(snapshot, text(0, 'a', 'b'), text(2, 'c')))).toBe('a b c');
  });

  test('lands where it was when it comes a second time', () => {
    expect(textOf(after(snapshot, text(0, 'a', 'b'), text(2, 'c'), text(1, 'b'), text(2, 'c')))).toBe('a b c');
  });

  test('stays in sight at a fresh snapshot, and is replaced as a whole by the text that follows it', () => {
    const before = after(snapshot, text(0, 'a', 'b', 'c'), snapshot);
    expect(textOf(before)).toBe('a b c');
    expect(textOf(applyEvent(before, text(0, 'x')))).toBe('x');
    expect(textOf([text(0, 'x'), text(1, 'y')].reduce(applyEvent, before))).toBe('x y');
  });

  test('goes when transcription begins again', () => {
    const again = toLecture({ stages: { transcribe: { status: 'queued' } } });
    expect(textOf(after(snapshot, text(0, 'a'), { type: 'lecture', changes: again }))).toBe('');
    expect(textOf(after(snapshot, text(0, 'a'), { type: 'snapshot', lecture: again }))).toBe('');
  });
});

test('a stage event changes that stage and leaves the others the same objects', () => {
  const before = after(snapshot);
  const stage = { ...(findStage(transcribing, 'transcribe') as object), progress: 0.5 } as never;
  const { lecture } = applyEvent(before, { type: 'stage', stage });
  expect(lecture?.stages.map(({ name, progress }) => (progress > 0 ? name : null)).filter(Boolean)).toEqual([
    'transcribe',
  ]);
  expect(lecture?.stages[0]).toBe(transcribing.stages[0]);
});

test('changed fields of a lecture keep those that are not named', () => {
  const { lecture } = after(snapshot, { type: 'lecture', changes: { language: 'ar' } });
  expect(lecture).toEqual({ ...transcribing, language: 'ar' });
});

test('events before the first snapshot change nothing, and the end changes nothing', () => {
  expect(after({ type: 'lecture', changes: { language: 'en' } }).lecture).toBeNull();
  const before = after(snapshot, text(0, 'a'));
  expect(applyEvent(before, { type: 'end', status: 'ready' })).toBe(before);
});

test('another try is offered for a stage that failed, but not when the recording is at fault', () => {
  const failed = (code: string) =>
    findRetryable(
      toLecture({ status: 'failed', stages: { transcribe: { status: 'failed', error: { code, message: '' } } } }),
    );
  expect(failed('model_crashed')).toBe('transcribe');
  expect(failed('not_media')).toBeNull();
  expect(findRetryable(toLecture({ status: 'running' }))).toBeNull();
});

test('a lecture has ended in every status but queued and running', () => {
  const statuses = ['queued', 'running', 'ready', 'partial', 'failed', 'cancelled'] as const;
  expect(statuses.filter((status) => !hasEnded(toLecture({ status })))).toEqual(['queued', 'running']);
});

test('a text that is on its way has the version of the one that is still shown until it is there', () => {
  const done = { transcribe: { status: 'done' as const }, assemble: { status: 'done' as const } };
  const at = (transcriptVersion: number): LectureEvent => ({
    type: 'snapshot',
    lecture: toLecture({ transcriptVersion, stages: done }),
  });
  const waiting = after(at(1), text(0, 'a', 'b'), at(2));
  expect([waiting.textVersion, textOf(waiting)]).toEqual([1, 'a b']);
  const come = applyEvent(waiting, text(0, 'a', 'c'));
  expect([come.textVersion, textOf(come)]).toEqual([2, 'a c']);
});

test('of a newer text only what differs is another object', () => {
  const before = after(snapshot, text(0, 'a', 'b'));
  const { segments } = withText(before, { version: 1, segments: toSegments(0, ['a', 'c']) });
  expect(segments.map((segment, i) => segment === before.segments[i])).toEqual([true, false]);
});
