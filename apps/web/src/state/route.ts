export type Route =
  | { name: 'home' }
  | { name: 'lecture'; lectureId: string; atSeconds: number | null }
  | { name: 'course'; courseId: string }
  | { name: 'unknown' };

/** The address behind `#`. Ids are checked by the API; here only the form of the path counts. */
export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#/, '');
  if (path === '' || path === '/') return { name: 'home' };
  const [, courseId] = /^\/courses\/([0-9a-z]{1,64})$/.exec(path) ?? [];
  if (courseId !== undefined) return { name: 'course', courseId };
  const [, lectureId, at] = /^\/lectures\/([0-9a-z]{1,64})(?:\?at=(\d{1,7}(?:\.\d{1,3})?))?$/.exec(path) ?? [];
  if (lectureId === undefined) return { name: 'unknown' };
  return { name: 'lecture', lectureId, atSeconds: at === undefined ? null : Number(at) };
}

export function toCourseHash(courseId: string): string {
  return `#/courses/${courseId}`;
}

/** @param atSeconds a moment of it */
export function toLectureHash(lectureId: string, atSeconds?: number): string {
  const at = atSeconds === undefined ? '' : `?at=${Math.round(atSeconds * 1000) / 1000}`;
  return `#/lectures/${lectureId}${at}`;
}
