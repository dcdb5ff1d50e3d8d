import { removeControls } from '../http/content-disposition.ts';

const maxTitleLength = 300;
const maxFileNameLength = 255;
const fallbackTitle = 'Untitled lecture';

/**
 * The name of an uploaded file as it is kept: without folders and control characters. Browsers write `"` and line
 * ends in names as %22, %0D and %0A (https://html.spec.whatwg.org/#multipart-form-data).
 */
export function toStoredFileName(given: string): string {
  const unescaped = given.replace(/%22/g, '"').replace(/(%0D|%0A)+/g, ' ');
  const base = unescaped.split(/[/\\]/).at(-1) ?? '';
  const name = toOneLine(base);
  return name === '.' || name === '..' ? '' : cut(name, maxFileNameLength);
}

/** The title that a user gave, or else the file's name without its ending. */
export function toTitle(given: string | undefined, fileName: string): string {
  const title = toOneLine(given ?? '') || fileName.replace(/(?<=.)\.[A-Za-z0-9]{1,5}$/, '').trim();
  return cut(title, maxTitleLength) || fallbackTitle;
}

/** What parts words, such as a line end or a tab, is a space from here on; other controls go. */
function toOneLine(text: string): string {
  return removeControls(text.replace(/[\t-\r\u0085\u2028\u2029]+/g, ' ')).trim();
}

/** At most so many UTF-16 units (what schemas count), never half a pair. */
function cut(text: string, length: number): string {
  return removeControls(text.slice(0, length)).trim();
}
