import type { ReadonlySignal, Signal } from '@preact/signals';
import type { ResumableUpload } from '@studymate/client/resumable-upload';
import type { RememberedUpload } from './upload-memory.ts';

export type UploadState =
  | 'checking'
  | 'waiting'
  | 'beginning'
  | 'sending'
  | 'storing'
  | 'offline'
  | 'paused'
  | 'failed'
  /** Begun before the page was closed, and too large to be kept: the same file has to be chosen again. */
  | 'needs-file';

/** What can be seen of a recording on its way. */
export interface UploadView {
  state: UploadState;
  /** 0 to 1 */
  share: number;
  bytesPerSecond: number | null;
  /** What is wrong, when it has failed. */
  problem: string;
  canRetry: boolean;
}

export interface UploadItem {
  key: string;
  name: string;
  size: number;
  view: ReadonlySignal<UploadView>;
}

/** With what only the sending needs to know. */
export interface Item extends UploadItem {
  view: Signal<UploadView>;
  /** null: has to be chosen again. */
  file: File | null;
  lastModified: number;
  glossary: string[];
  courseId: string | null;
  /** ISO 639-1; null: to be found out. */
  language: string | null;
  /** While it is being sent. */
  sending: ResumableUpload | null;
  /** Under which it can be gone on with after a failure; '' before it was begun. */
  uploadId: string;
  isTaken: boolean;
  /** Somebody has just chosen it, and waits for its lecture. */
  isAwaited: boolean;
  /** Gives back the claim to it that other windows respect. */
  release: () => void;
}

export const begun: UploadView = { state: 'checking', share: 0, bytesPerSecond: null, problem: '', canRetry: false };

/** What is kept of it in this browser. */
export function toRemembered(item: Item, file: File, owner: string | null): RememberedUpload {
  const { name, size, lastModified, glossary, courseId, language, uploadId } = item;
  const { type } = file;
  return {
    name,
    type,
    size,
    lastModified,
    owner,
    uploadId,
    glossary,
    courseId,
    language,
    addedAt: Date.now(),
    content: file,
  };
}

/** `randomUUID` is there behind https alone. */
export function toKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
