/** The value of one sample in Prometheus's text form, or null; the labels given must be among its own. */
export function sampleOf(text: string, name: string, labels: Record<string, string>): number | null {
  for (const line of text.split('\n')) {
    const [, lineName, labelText, value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (lineName !== name) continue;
    const found = Object.fromEntries([...(labelText ?? '').matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1], m[2]]));
    if (Object.entries(labels).every(([label, wanted]) => found[label] === wanted)) return Number(value);
  }
  return null;
}
