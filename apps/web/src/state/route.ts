export interface LectureRoute {
  name: 'lecture';
  lectureId: string;
  /** The moment that it opens at. */
  atSeconds: number | null;
  /** The tab that is open. */
  part: LecturePart | null;
}

export type Route =
  | LectureRoute
  | { name: 'home'; query: string }
  | { name: 'course'; courseId: string; query: string }
  | { name: 'unknown' };

const lectureParts = ['transcript', 'summary', 'chapters', 'topics', 'flashcards', 'ask'] as const;
export type LecturePart = (typeof lectureParts)[number];

/**
 * The address behind `#`. Ids are checked by the API; here only the form counts. What is searched for and which part is
 * open stand in it as well, so that going back or loading anew leads to what was seen.
 */
export function parseRoute(hash: string): Route {
  const [path = '', rest] = hash.replace(/^#/, '').split('?', 2);
  const params = new URLSearchParams(rest);
  const query = params.get('q') ?? '';
  if (path === '' || path === '/') return { name: 'home', query };
  const [, kind, id] = /^\/(courses|lectures)\/([0-9a-z]{1,64})$/.exec(path) ?? [];
  if (id === undefined) return { name: 'unknown' };
  if (kind === 'courses') return { name: 'course', courseId: id, query };
  const at = params.get('at');
  if (at !== null && !/^\d{1,7}(\.\d{1,3})?$/.test(at)) return { name: 'unknown' };
  const part = lectureParts.find((each) => each === params.get('part')) ?? null;
  return { name: 'lecture', lectureId: id, atSeconds: at === null ? null : Number(at), part };
}

export function toHash(route: Exclude<Route, { name: 'unknown' }>): string {
  switch (route.name) {
    case 'home':
      return `#/${toParams({ q: route.query })}`;
    case 'course':
      return `#/courses/${route.courseId}${toParams({ q: route.query })}`;
    case 'lecture': {
      const at = route.atSeconds === null ? '' : String(Math.round(route.atSeconds * 1000) / 1000);
      return `#/lectures/${route.lectureId}${toParams({ at, part: route.part ?? '' })}`;
    }
  }
}

function toParams(values: Readonly<Record<string, string>>): string {
  const params = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ''));
  return params.size === 0 ? '' : `?${params}`;
}

export function toCourseHash(courseId: string): string {
  return toHash({ name: 'course', courseId, query: '' });
}

/** @param atSeconds a moment of it */
export function toLectureHash(lectureId: string, atSeconds: number | null = null): string {
  return toHash({ name: 'lecture', lectureId, atSeconds, part: null });
}

/** Notes in the address what is seen, without a step in the history. The view stays. */
export function rewriteAddress(route: Exclude<Route, { name: 'unknown' }>): void {
  history.replaceState(history.state, '', toHash(route));
}

/** What was searched for is not for whoever comes next. */
export function forgetQuery(): void {
  const route = parseRoute(location.hash);
  if ('query' in route && route.query !== '') rewriteAddress({ ...route, query: '' });
}

/** The same for a lecture, as long as it is the one that is seen. */
export function rewriteLectureAddress(
  lectureId: string,
  changes: Partial<Pick<LectureRoute, 'atSeconds' | 'part'>>,
): void {
  const route = parseRoute(location.hash);
  if (route.name === 'lecture' && route.lectureId === lectureId) rewriteAddress({ ...route, ...changes });
}
