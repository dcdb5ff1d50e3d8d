/** What a deletion and the search for orphans must know of a lecture. */
export interface PeekedRecord {
  owner: string;
  media: { key: string; sha256: string };
}

/**
 * Whose a stored record is and where its media lies, read without a schema: it must be known also of a record that a
 * later StudyMate wrote or that is damaged elsewhere.
 * @returns null when the bytes do not tell, or are of another lecture
 */
export function peekRecord(lectureId: string, bytes: Uint8Array): PeekedRecord | null {
  const record = toObject(bytes);
  if (record?.id !== lectureId || typeof record.owner !== 'string') return null;
  const { media } = record;
  if (typeof media !== 'object' || media === null) return null;
  const { key, sha256 } = media as Record<string, unknown>;
  if (typeof key !== 'string' || typeof sha256 !== 'string') return null;
  return { owner: record.owner, media: { key, sha256 } };
}

function toObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
