/** A text in pieces, those that were found marked. @param highlights in order, UTF-16 indexes, `to` exclusive */
export function splitByHighlights(
  text: string,
  highlights: readonly { from: number; to: number }[],
): { part: string; isHit: boolean }[] {
  const parts: { part: string; isHit: boolean }[] = [];
  let at = 0;
  for (const { from, to } of highlights) {
    if (from < at || to <= from) continue;
    parts.push({ part: text.slice(at, from), isHit: false }, { part: text.slice(from, to), isHit: true });
    at = to;
  }
  parts.push({ part: text.slice(at), isHit: false });
  return parts.filter(({ part }) => part !== '');
}
