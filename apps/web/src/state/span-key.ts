import type { Segment } from '@studymate/contracts/transcript';

/** Where a segment is in the recording, in seconds. */
export type Span = Pick<Segment, 'start' | 'end'>;

/** A file of its own: what waits is known before the code for corrections is there. */
export function toSpanKey({ start, end }: Span): string {
  return `${start} ${end}`;
}
