import type { Segment, Transcript } from '@studymate/contracts/transcript';
import type { EditTranscript, SegmentChange } from '@studymate/contracts/transcript-edit';
import { alignWords } from './align-words.ts';
import { isUnspacedLanguage } from './languages.ts';

/**
 * A stretch that the machine has heard in the same words begins at the same time, but where something before it was heard
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
  const words = alignWords(segment, change.text, segment.language ?? machine.language);
  return { ...segment, text: change.text, confidence: toConfidence(words), flags: ['edited'], words };
}

/**
 * How long a corrected text may be: longer than anybody speaks (some 25 characters a second), so that a transcript takes no
 * more memory than the length of its recording allows.
 */
export function mostCharacters({ start, end, text }: Segment): number {
  return Math.max(text.length, 200 + Math.ceil(50 * (end - start)));
}

/** How many segments differ from what the machine says. */
export function countChanged(machine: Transcript, changes: readonly SegmentChange[]): number {
  return placeChanges(machine, changes).size;
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
  const next = new Set(changes);
  for (const { id, text } of edits) {
    const segment = machine.segments[id] as Segment;
    const before = placed.get(id);
    const written = text === null ? segment.text : toWritten(text);
    if (before?.text === written) continue;
    if (before) next.delete(before);
    if (text === null || written === toWritten(segment.text)) continue;
    next.add({ id, start: segment.start, from: segment.text, text: written });
  }
  const isSame = next.size === changes.length && changes.every((change) => next.has(change));
  return isSame ? [...changes] : [...next].sort((a, b) => a.start - b.start || a.id - b.id);
}

/** By segment id. */
function placeChanges({ segments }: Transcript, changes: readonly SegmentChange[]): Map<number, SegmentChange> {
  const placed = new Map<number, SegmentChange>();
  const fits = (segment: Segment | undefined, change: SegmentChange): segment is Segment =>
    segment?.text === change.from && Math.abs(segment.start - change.start) <= sameStartSeconds;
  const moved: SegmentChange[] = [];
  for (const change of changes) {
    if (fits(segments[change.id], change) && !placed.has(change.id)) placed.set(change.id, change);
    else moved.push(change);
  }
  if (moved.length === 0) return placed;
  const byText = new Map<string, Segment[]>();
  for (const segment of segments) {
    const same = byText.get(segment.text);
    if (same) same.push(segment);
    else byText.set(segment.text, [segment]);
  }
  for (const change of moved) {
    const free = byText.get(change.from)?.filter((segment) => fits(segment, change) && !placed.has(segment.id)) ?? [];
    const distance = ({ start }: Segment) => Math.abs(start - change.start);
    const [nearest] = free.sort((a, b) => distance(a) - distance(b));
    if (nearest) placed.set(nearest.id, change);
  }
  return placed;
}

/** On one line, and with its accents composed, as the machine writes. */
function toWritten(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ').trim();
}

function toConfidence(words: readonly { probability: number }[]): number {
  if (words.length === 0) return 1;
  const sum = words.reduce((total, { probability }) => total + probability, 0);
  return Math.round((sum / words.length) * 1000) / 1000;
}
