import type { Chapter } from '@studymate/contracts/study';

/** What YouTube asks of a chapter. */
export const minChapterSeconds = 10;

/** 0:00, 12:05 or 1:02:03. */
function toClock(seconds: number): string {
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** hh:mm:ss.ttt */
function toVttTime(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000);
  const part = (value: number, width: number): string => String(value).padStart(width, '0');
  return (
    `${part(Math.floor(milliseconds / 3_600_000), 2)}:${part(Math.floor(milliseconds / 60_000) % 60, 2)}:` +
    `${part(Math.floor(milliseconds / 1000) % 60, 2)}.${part(milliseconds % 1000, 3)}`
  );
}

function oneLine(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}

export type YoutubeExport = { ok: true; text: string } | { ok: false; reason: string };

/**
 * The lines to paste into a video's description. YouTube shows chapters only when the first starts at 0:00, there are
 * three or more, they ascend, and each lasts ten seconds (in the whole seconds that are written); otherwise `reason`
 * says which of these fails. `chapters` are of one level.
 */
export function toYoutubeChapters(chapters: readonly Chapter[]): YoutubeExport {
  if (chapters.length < 3)
    return { ok: false, reason: `YouTube needs at least 3 chapters; there are ${chapters.length}.` };
  if (Math.floor((chapters[0] as Chapter).start) !== 0) {
    return { ok: false, reason: 'YouTube needs the first chapter to start at 0:00.' };
  }
  for (let index = 0; index < chapters.length; index++) {
    const chapter = chapters[index] as Chapter;
    const next = chapters[index + 1];
    const end = next === undefined ? chapter.end : Math.floor(next.start);
    if (end - Math.floor(chapter.start) < minChapterSeconds) {
      return {
        ok: false,
        reason: `YouTube needs ascending chapters of at least ${minChapterSeconds} s; the one at ${toClock(chapter.start)} is shorter.`,
      };
    }
  }
  return {
    ok: true,
    text: `${chapters.map((chapter) => `${toClock(chapter.start)} ${oneLine(chapter.title)}`).join('\n')}\n`,
  };
}

/** A WebVTT file of chapters (`<track kind="chapters">`); `chapters` are of one level. */
export function toVttChapters(chapters: readonly Chapter[]): string {
  const escapeText = (text: string): string =>
    oneLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const cues = chapters
    .filter((chapter) => chapter.end > chapter.start)
    .map(
      (chapter, index) =>
        `${index + 1}\n${toVttTime(chapter.start)} --> ${toVttTime(chapter.end)}\n${escapeText(chapter.title)}\n`,
    );
  return `WEBVTT\n\n${cues.join('\n')}`;
}
