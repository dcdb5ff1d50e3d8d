export type Route = { name: 'home' } | { name: 'lecture'; lectureId: string } | { name: 'unknown' };

/** The address behind `#`. Ids are checked by the API; here only the form of the path counts. */
export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#/, '');
  if (path === '' || path === '/') return { name: 'home' };
  const lectureId = /^\/lectures\/([0-9a-z]{1,64})$/.exec(path)?.[1];
  return lectureId === undefined ? { name: 'unknown' } : { name: 'lecture', lectureId };
}

export function toLectureHash(lectureId: string): string {
  return `#/lectures/${lectureId}`;
}
