import type { Segment, Transcript, Word } from '@studymate/contracts/transcript';
import type { EditTranscript, SegmentChange } from '@studymate/contracts/transcript-edit';
import { alignWords, isUnspaced, toKey } from './align-words.ts';
import { isUnspacedLanguage } from './languages.ts';

/**
 * A stretch that the machine has heard in the same words begins at about the same time, but where something before it was heard
 * anew the segments can have other numbers.
 */
const sameStartSeconds = 1;

/**
 * The transcript as a person has corrected it. Segments keep their ids and times; what was removed has no text and no words.
 * A change has its effect only where the machine still says what it was made of.
 */
export function applyChanges(machine: Transcript, changes: readonly SegmentChange[]): Transcript {
  const placed = placeChanges(machine, changes);
  if (placed.size === 0) return machine;
  const segments = machine.segments.map((segment) => correct(machine, segment, placed.get(segment.id)));
  const texts = segments.map(({ text }) => text).filter((text) => text !== '');
  return { ...machine, text: texts.join(isUnspacedLanguage(machine.language) ? '' : ' '), segments };
}

/** The same of some segments alone, in their order. */
export function correctedSegments(
  machine: Transcript,
  changes: readonly SegmentChange[],
  ids: ReadonlySet<number>,
): Segment[] {
  const placed = placeChanges(machine, changes);
  return machine.segments.flatMap((segment) =>
    ids.has(segment.id) ? [correct(machine, segment, placed.get(segment.id))] : [],
  );
}

/** Ids of the segments whose texts differ between two versions. */
export function differingIds(
  machine: Transcript,
  before: readonly SegmentChange[],
  after: readonly SegmentChange[],
): ReadonlySet<number> {
  const [earlier, later] = [placeChanges(machine, before), placeChanges(machine, after)];
  const differ = [...earlier.keys(), ...later.keys()].filter((id) => earlier.get(id)?.text !== later.get(id)?.text);
  return new Set(differ);
}

function correct(machine: Transcript, segment: Segment, change: SegmentChange | undefined): Segment {
  if (!change) return segment;
  const hasTimes = segment.words.length > 0;
  // What stayed keeps the machine's confidence also where it has told none of single words.
  const words = hasTimes ? segment.words : toUntimedWords(segment);
  const aligned = alignWords({ ...segment, words }, change.text, segment.language ?? machine.language);
  const confidence = aligned.length > 0 ? toConfidence(aligned) : segment.confidence;
  return { ...segment, text: change.text, confidence, flags: ['edited'], words: hasTimes ? aligned : [] };
}

function toUntimedWords({ text, start, end, confidence }: Segment): Word[] {
  const words = isUnspaced(text) ? [...text] : text.split(' ');
  return words.map((word) => ({ word, start, end, probability: confidence }));
}

/** How many segments differ from what the machine says. */
export function countChanged(machine: Transcript, changes: readonly SegmentChange[]): number {
  return placeChanges(machine, changes).size;
}

/**
 * The changes that have no place in what the machine says today, in their order. One that it says by itself by now is none of
 * them: it has what it wanted.
 */
export function findUnplaced(machine: Transcript, changes: readonly SegmentChange[]): SegmentChange[] {
  const settled = new Set(settleChanges(machine, changes).values());
  return changes.filter((change) => !settled.has(change));
}

/**
 * The changes with those of one more edit. Those that have no effect on today's text stay: they are of another one, which may
 * come again.
 * @param edits of segments that the transcript has
 */
export function withEdits(
  machine: Transcript,
  changes: readonly SegmentChange[],
  edits: EditTranscript['segments'],
): SegmentChange[] {
  const placed = placeChanges(machine, changes);
  const inEffect = new Set(placed.values());
  const waiting = changes.filter((change) => !inEffect.has(change));
  const next = new Set(changes);
  for (const { id, text } of edits) {
    const segment = machine.segments[id] as Segment;
    const before = placed.get(id);
    const written = toWritten(text ?? segment.text);
    const isMachines = written === toWritten(segment.text);
    if (before ? before.text === written : isMachines) continue;
    if (before) next.delete(before);
    // What had no room here beside the one before does not come up in its place.
    for (const change of waiting) if (isMadeOf(change, segment)) next.delete(change);
    if (!isMachines) next.add({ id, start: segment.start, from: segment.text, text: written });
  }
  const isSame = next.size === changes.length && changes.every((change) => next.has(change));
  return isSame ? [...changes] : [...next].sort((a, b) => a.start - b.start || a.id - b.id);
}

function isNear(change: SegmentChange, segment: Segment): boolean {
  return Math.abs(segment.start - change.start) <= sameStartSeconds;
}

function isMadeOf(change: SegmentChange, segment: Segment): boolean {
  return isNear(change, segment) && toKey(change.from) === toKey(segment.text);
}

/** Which change has its effect on which segment, by id: those that have a place, unless the machine says so itself by now. */
function placeChanges(machine: Transcript, changes: readonly SegmentChange[]): Map<number, SegmentChange> {
  const placed = settleChanges(machine, changes);
  for (const [id, { text }] of placed) if (text === toWritten(machine.segments[id]?.text ?? '')) placed.delete(id);
  return placed;
}

/**
 * Which change has its place in which segment, by id. A segment that was heard anew is the same where it says the same but for
 * capitals and signs; of several the nearest is, and of those that are as near the one with the same number.
 */
function settleChanges({ segments }: Transcript, changes: readonly SegmentChange[]): Map<number, SegmentChange> {
  const placed = new Map<number, SegmentChange>();
  const moved = changes.filter((change) => {
    const segment = segments[change.id];
    const isThere = segment?.text === change.from && segment.start === change.start && !placed.has(change.id);
    if (isThere) placed.set(change.id, change);
    return !isThere;
  });
  if (moved.length === 0) return placed;
  const byPlace = new Map<string, Segment[]>();
  const toPlace = (key: string, second: number) => `${second} ${key}`;
  for (const segment of segments) {
    const place = toPlace(toKey(segment.text), Math.floor(segment.start));
    const same = byPlace.get(place);
    if (same) same.push(segment);
    else byPlace.set(place, [segment]);
  }
  const pairs = moved.flatMap((change) => {
    const key = toKey(change.from);
    const second = Math.floor(change.start);
    return [second - 1, second, second + 1]
      .flatMap((each) => byPlace.get(toPlace(key, each)) ?? [])
      .filter((segment) => isNear(change, segment))
      .map((segment) => ({ change, segment, distance: Math.abs(segment.start - change.start) }));
  });
  const isElsewhere = ({ change, segment }: (typeof pairs)[number]) => Number(change.id !== segment.id);
  pairs.sort((a, b) => a.distance - b.distance || isElsewhere(a) - isElsewhere(b));
  const settled = new Set<SegmentChange>();
  for (const { change, segment } of pairs) {
    if (settled.has(change) || placed.has(segment.id)) continue;
    settled.add(change);
    placed.set(segment.id, change);
  }
  return placed;
}

/** On one line, and with its accents composed, as the machine writes. */
function toWritten(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ').trim();
}

function toConfidence(words: readonly { probability: number }[]): number {
  const sum = words.reduce((total, { probability }) => total + probability, 0);
  return Math.round((sum / words.length) * 1000) / 1000;
}
