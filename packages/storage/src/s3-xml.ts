/** What S3 answers is flat XML without attributes that matter: its elements are found by their names. */

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, decimal, name) => {
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (name === undefined) return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    return entities[name] ?? whole;
  });
}

/** The insides of every element of that name, as they stand there. */
export function readElements(xml: string, name: string): string[] {
  const found: string[] = [];
  const open = `<${name}>`;
  const close = `</${name}>`;
  for (let at = xml.indexOf(open); at !== -1; at = xml.indexOf(open, at)) {
    const end = xml.indexOf(close, at);
    if (end === -1) break;
    found.push(xml.slice(at + open.length, end));
    at = end + close.length;
  }
  return found;
}

/** The text of the first element of that name, or null where there is none. */
export function readElement(xml: string, name: string): string | null {
  const [text] = readElements(xml, name);
  return text === undefined ? null : decode(text);
}
