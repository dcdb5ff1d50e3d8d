import type { Segment, Transcript } from '@studymate/contracts/transcript';

/** Two lines of about 42 characters are what a viewer reads at a glance (BBC and Netflix subtitle guidelines). */
const maxLineLength = 42;
const maxLines = 2;

interface Cue {
  start: number;
  end: number;
  lines: string[];
}

/** SubRip. Line ends are CRLF, as players expect of the format. */
export function toSrt(segments: readonly Segment[]): string {
  return toCues(segments)
    .map(({ start, end, lines }, i) => {
      const text = lines.map(escapeSrt).join('\r\n');
      return `${i + 1}\r\n${stamp(start, ',')} --> ${stamp(end, ',')}\r\n${text}\r\n`;
    })
    .join('\r\n');
}

/** WebVTT. */
export function toVtt(segments: readonly Segment[]): string {
  const cues = toCues(segments).map(
    ({ start, end, lines }) => `${stamp(start, '.')} --> ${stamp(end, '.')}\n${lines.map(escapeVtt).join('\n')}\n`,
  );
  return ['WEBVTT\n', ...cues].join('\n');
}

/** One segment a line. */
export function toPlainText(transcript: Pick<Transcript, 'segments'>): string {
  const lines = transcript.segments.map((segment) => oneLine(segment.text)).filter((line) => line !== '');
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function toCues(segments: readonly Segment[]): Cue[] {
  const cues = segments.flatMap(segmentCues).filter((cue) => cue.lines.length > 0);
  // No cue ends after the next one begins, and each is on the screen for a moment.
  cues.forEach((cue, i) => {
    const next = cues[i + 1];
    cue.end = Math.max(cue.end, cue.start + 0.001);
    if (next !== undefined && cue.end > next.start && next.start > cue.start) cue.end = next.start;
  });
  return cues;
}

/** A segment as one cue or several: each takes as many words as two lines hold, and its times are its words'. */
function segmentCues(segment: Segment): Cue[] {
  const units = toUnits(segment);
  const cueCount = Math.ceil(wrap(units.map(({ text }) => text)).length / maxLines);
  if (cueCount <= 1) return [{ start: segment.start, end: segment.end, lines: wrap(units.map(({ text }) => text)) }];

  // Cues of like length read better than a full one and a last word.
  const total = units.reduce((sum, { text }) => sum + text.length, 0);
  const cues: Cue[] = [];
  let taken: Unit[] = [];
  let length = 0;
  const close = (): void => {
    const [first, last] = [taken[0], taken.at(-1)];
    if (first !== undefined && last !== undefined) {
      cues.push({ start: first.start, end: last.end, lines: wrap(taken.map(({ text }) => text)) });
    }
    taken = [];
    length = 0;
  };
  for (const unit of units) {
    const tooLong = wrap([...taken, unit].map(({ text }) => text)).length > maxLines;
    if (taken.length > 0 && (tooLong || length + unit.text.length / 2 > total / cueCount)) close();
    taken.push(unit);
    length += unit.text.length;
  }
  close();
  return cues;
}

interface Unit {
  /** With its leading space, if it has one. */
  text: string;
  start: number;
  end: number;
}

/** The segment's words as its text has them; without words the text's parts share the time by their length. */
function toUnits(segment: Segment): Unit[] {
  const text = oneLine(segment.text);
  if (segment.words.length > 0) {
    let cursor = 0;
    const units: Unit[] = [];
    for (const { word, start, end } of segment.words) {
      const at = text.indexOf(word, cursor);
      if (at < 0) continue;
      units.push({ text: text.slice(cursor, at + word.length), start, end });
      cursor = at + word.length;
    }
    const last = units.at(-1);
    if (last !== undefined) {
      last.text += text.slice(cursor);
      return units.flatMap(splitUnit);
    }
  }
  return splitUnit({ text, start: segment.start, end: segment.end });
}

/** Cuts what has several words, or one that is longer than a line, sharing its time by length. */
function splitUnit(unit: Unit): Unit[] {
  const parts = (unit.text.match(/\s*\S+/g) ?? []).flatMap((part) => sliceLong(part));
  let characters = 0;
  const secondsEach = (unit.end - unit.start) / Math.max(1, unit.text.length);
  return parts.map((text) => {
    const start = unit.start + characters * secondsEach;
    characters += text.length;
    return { text, start, end: Math.min(unit.end, unit.start + characters * secondsEach) };
  });
}

function sliceLong(part: string): string[] {
  if (part.length <= maxLineLength) return [part];
  const characters = [...part];
  const slices: string[] = [];
  for (let i = 0; i < characters.length; i += maxLineLength)
    slices.push(characters.slice(i, i + maxLineLength).join(''));
  return slices;
}

/** Lines of at most 42 characters; two lines are balanced. */
function wrap(texts: readonly string[]): string[] {
  const whole = texts.join('').trim();
  if (whole === '') return [];
  if (whole.length <= maxLineLength) return [whole];
  const greedy = fill(texts, maxLineLength);
  if (greedy.length !== maxLines) return greedy;
  for (let width = Math.ceil(whole.length / 2); width < maxLineLength; width++) {
    const balanced = fill(texts, width);
    if (balanced.length === maxLines && balanced.every((line) => line.length <= maxLineLength)) return balanced;
  }
  return greedy;
}

function fill(texts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const text of texts) {
    if (line !== '' && (line + text).trim().length > width) {
      lines.push(line.trim());
      line = '';
    }
    line += text;
  }
  if (line.trim() !== '') lines.push(line.trim());
  return lines;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** "-->" would be read as a time line. */
function escapeSrt(line: string): string {
  return line.replaceAll('-->', '\u2192').replace(/</g, '\u2039').replace(/>/g, '\u203A');
}

function escapeVtt(line: string): string {
  return line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** 00:00:00,000 — hours have two digits or more. */
function stamp(seconds: number, separator: ',' | '.'): string {
  const totalMs = Math.max(0, Math.round(seconds * 1000));
  const pad = (value: number, width: number): string => String(value).padStart(width, '0');
  const hours = Math.floor(totalMs / 3_600_000);
  const minutes = Math.floor(totalMs / 60_000) % 60;
  const wholeSeconds = Math.floor(totalMs / 1000) % 60;
  return `${pad(hours, 2)}:${pad(minutes, 2)}:${pad(wholeSeconds, 2)}${separator}${pad(totalMs % 1000, 3)}`;
}
