/** The type that an uploader claims is believed only if a browser does no more than play it. */
const playableTypes = new Set([
  'audio/aac',
  'audio/aiff',
  'audio/flac',
  'audio/m4a',
  'audio/mp3',
  'audio/mp4',
  'audio/mpeg',
  'audio/ogg',
  'audio/opus',
  'audio/vnd.wave',
  'audio/wav',
  'audio/wave',
  'audio/webm',
  'audio/x-flac',
  'audio/x-m4a',
  'audio/x-matroska',
  'audio/x-wav',
  'video/3gpp',
  'video/mp4',
  'video/mpeg',
  'video/ogg',
  'video/quicktime',
  'video/webm',
  'video/x-matroska',
  'video/x-msvideo',
]);

/** Registered names where there are any (https://www.iana.org/assignments/media-types), else those in common use. */
const typeByEnding = new Map([
  ['3gp', 'video/3gpp'],
  ['aac', 'audio/aac'],
  ['aif', 'audio/aiff'],
  ['aiff', 'audio/aiff'],
  ['avi', 'video/x-msvideo'],
  ['flac', 'audio/flac'],
  ['m4a', 'audio/mp4'],
  ['m4b', 'audio/mp4'],
  ['m4v', 'video/mp4'],
  ['mka', 'audio/x-matroska'],
  ['mkv', 'video/x-matroska'],
  ['mov', 'video/quicktime'],
  ['mp3', 'audio/mpeg'],
  ['mp4', 'video/mp4'],
  ['mpeg', 'video/mpeg'],
  ['mpg', 'video/mpeg'],
  ['oga', 'audio/ogg'],
  ['ogg', 'audio/ogg'],
  ['ogv', 'video/ogg'],
  // Opus comes in Ogg; `audio/opus` is for the bare packets.
  ['opus', 'audio/ogg'],
  ['wav', 'audio/wav'],
  ['weba', 'audio/webm'],
  ['webm', 'video/webm'],
]);

/**
 * The type under which a recording can be played: the claimed one, or else the one that the name's ending stands
 * for, because curl and other programs send everything as application/octet-stream. Null when neither is known.
 */
export function toPlayableType(claimed: string, fileName: string): string | null {
  const type = claimed.toLowerCase();
  if (playableTypes.has(type)) return type;
  const ending = /\.([a-z0-9]{1,5})$/i.exec(fileName)?.[1] ?? '';
  return typeByEnding.get(ending.toLowerCase()) ?? null;
}
