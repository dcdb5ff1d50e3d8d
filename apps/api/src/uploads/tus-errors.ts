import { AppError } from '@studymate/contracts/errors';
import type { TusErrorName } from './tus-exchange.ts';

/** The library's errors as ours. Those that are not here are checked for before the library is asked. */
export function toUploadError(name: TusErrorName | null, thrown: unknown, maxBytes: number): unknown {
  switch (name) {
    case 'FILE_NOT_FOUND':
      return noSuchUpload();
    case 'FILE_NO_LONGER_EXISTS':
      return uploadGone();
    case 'INVALID_OFFSET':
      return new AppError('offset_mismatch', 'Upload-Offset is not where the upload ends; ask for that with HEAD.');
    case 'ERR_SIZE_EXCEEDED':
      return new AppError('file_too_large', 'The body has more bytes than the upload still lacks.');
    case 'ERR_MAX_SIZE_EXCEEDED':
      return new AppError('file_too_large', `The file may have ${maxBytes} bytes.`, { details: { maxBytes } });
    case 'INVALID_LENGTH':
      return new AppError('invalid_request', 'Upload-Length: is missing; the length must be known from the beginning');
    case 'UNSUPPORTED_CREATION_DEFER_LENGTH_EXTENSION':
      return new AppError('invalid_request', 'The length of an upload must be known when it begins, and stays.');
    case 'UNSUPPORTED_CONCATENATION_EXTENSION':
      return new AppError('invalid_request', 'Upload-Concat: uploads cannot be put together; send one after the other');
    case 'INVALID_METADATA':
      return new AppError('invalid_request', 'Upload-Metadata: must be pairs of a key and a value in base64');
    case 'ABORTED':
      return new AppError('upload_locked', 'Another request has taken the upload over.', {
        details: { retryAfterSeconds: 1 },
      });
    default:
      return thrown;
  }
}

/** Also for what is no id, and for the uploads of others. */
export function noSuchUpload(): AppError {
  return new AppError('not_found', 'There is no such upload.');
}

export function uploadGone(): AppError {
  return new AppError('upload_gone', 'The upload has expired; begin another one.');
}
