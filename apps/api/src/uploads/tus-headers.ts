/**
 * Headers of the tus protocol (https://tus.io/protocols/resumable-upload): what a page of another origin must be
 * allowed to send and to read, and all that goes between requests and the library.
 */
export const tusRequestHeaders = [
  'Content-Length',
  'Content-Type',
  'Tus-Resumable',
  'Upload-Concat',
  'Upload-Defer-Length',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Offset',
  'X-HTTP-Method-Override',
] as const;

export const tusResponseHeaders = [
  'Location',
  'Tus-Extension',
  'Tus-Max-Size',
  'Tus-Resumable',
  'Tus-Version',
  'Upload-Expires',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Offset',
] as const;

export const tusVersion = '1.0.0';
