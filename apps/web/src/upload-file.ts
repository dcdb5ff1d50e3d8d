import { ApiError } from '@studymate/client/api-error';
import type { Lecture } from '@studymate/contracts/lecture';

export interface UploadFileOptions {
  /** Bytes of the request's body, which is a little longer than the file. */
  onProgress(sentBytes: number, totalBytes: number): void;
  signal: AbortSignal;
}

/** Types that browsers know by a file's ending and that are never a recording; the API judges all others. */
const otherTypes =
  /^(text|image|font|model)\/|^application\/(pdf|zip|json|xml|rtf|msword|epub\+zip|x-7z-compressed|vnd\.(openxmlformats|oasis|ms-))/;

/** What is wrong with a file that need not be sent to find out, or null. */
export function findObjection(file: { name: string; type: string; size: number }): string | null {
  if (file.size === 0) return 'The file has no bytes.';
  if (otherTypes.test(file.type)) return 'This is not an audio or video recording.';
  return null;
}

/**
 * Sends a recording; unlike `fetch`, XMLHttpRequest tells how much has gone.
 * @throws ApiError, TypeError when the API cannot be reached, or AbortError
 */
export function uploadFile(file: File, options: UploadFileOptions): Promise<Lecture> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const settle = (finish: () => void) => () => {
      options.signal.removeEventListener('abort', abort);
      finish();
    };
    request.upload.addEventListener('progress', (event) => options.onProgress(event.loaded, event.total));
    request.addEventListener(
      'load',
      settle(() => {
        const body = parseJson(request.responseText);
        // 200: the same recording is a lecture of theirs already.
        if (request.status === 202 || request.status === 200) {
          resolve(body as Lecture);
          return;
        }
        const retryAfter = Number(request.getResponseHeader('retry-after') ?? Number.NaN);
        const requestId = request.getResponseHeader('x-request-id');
        reject(new ApiError(request.status, requestId, Number.isFinite(retryAfter) ? retryAfter : null, body));
      }),
    );
    const lost = 'The connection was lost before the whole recording had been sent.';
    request.addEventListener(
      'error',
      settle(() => reject(new TypeError(lost))),
    );
    request.addEventListener(
      'abort',
      settle(() => reject(new DOMException('The upload was cancelled.', 'AbortError'))),
    );
    options.signal.addEventListener('abort', abort);
    request.open('POST', '/api/v1/lectures');
    const form = new FormData();
    form.append('file', file, file.name);
    request.send(form);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
