/**
 * A `Content-Disposition` header for any name: a plain ASCII form for old clients, and the real one by RFC 5987
 * when they differ. Nothing that could end the header or name a folder gets through.
 */
export function toContentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const safe = toFileName(name);
  const ascii = safe.replace(/[^\x20-\x7e]/g, '_').replace(/["\\%]/g, '_');
  const encoded = encodeURIComponent(safe).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const extended = ascii === safe ? '' : `; filename*=UTF-8''${encoded}`;
  return `${kind}; filename="${ascii}"${extended}`;
}

/** A name that every common file system takes: no separators, no controls, not hidden, not endless. */
export function toFileName(name: string): string {
  const cleaned = removeControls(name)
    .replace(/[/\\:*?"<>|]/g, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  return [...cleaned].slice(0, 120).join('') || 'download';
}

/** Without control characters, characters that turn the direction of text, and halves of surrogate pairs. */
export function removeControls(text: string): string {
  // Encoding to UTF-8 turns half a pair into U+FFFD.
  return Buffer.from(text, 'utf8')
    .toString('utf8')
    .replace(/\ufffd/g, '')
    .replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '');
}
