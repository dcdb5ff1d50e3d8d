import type { TestApi } from './test-api.ts';

export const partType = 'application/offset+octet-stream';

/** One request of the tus protocol, made by hand. */
export async function askTus(
  t: Pick<TestApi, 'url'>,
  method: string,
  target: string,
  headers: Record<string, string> = {},
  body?: RequestInit['body'],
): Promise<{ status: number; headers: Headers; code: string | undefined; body: Record<string, unknown> }> {
  const url = target.startsWith('http') ? target : `${t.url}${target}`;
  const response = await fetch(url, {
    method,
    headers: { 'tus-resumable': '1.0.0', ...headers },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const parsed = text === '' ? {} : (JSON.parse(text) as { error?: Record<string, unknown> });
  const error = parsed.error ?? {};
  return { status: response.status, headers: response.headers, code: error.code as string | undefined, body: error };
}

export function toMetadata(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

/** Begins an upload. @returns its path */
export async function beginUpload(
  t: Pick<TestApi, 'url'>,
  bytes: number,
  headers: Record<string, string> = {},
): Promise<string> {
  const { status, headers: answered } = await askTus(t, 'POST', '/api/v1/uploads', {
    'upload-length': String(bytes),
    'upload-metadata': toMetadata({ filename: 'Printing 1.mp3', filetype: 'audio/mpeg' }),
    ...headers,
  });
  const location = answered.get('location');
  if (status !== 201 || location === null) throw new Error(`no upload was begun: ${status}`);
  return location;
}

export function sendPart(
  t: Pick<TestApi, 'url'>,
  path: string,
  offset: number,
  part: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  return askTus(t, 'PATCH', path, { 'content-type': partType, 'upload-offset': String(offset), ...headers }, part);
}

export function toUploadId(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** POST /api/v1/lectures with a JSON body. */
export async function makeLectureOf(
  t: Pick<TestApi, 'url'>,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${t.url}/api/v1/lectures`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: an answer of either kind, looked into by the tests
  return { status: response.status, headers: response.headers, json: (await response.json()) as any };
}
