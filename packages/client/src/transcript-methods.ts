import type { PartialTranscript, VersionedTranscript } from '@studymate/contracts/transcript';
import type {
  EditedTranscript,
  EditTranscript,
  TranscriptVersionInfo,
  TranscriptVersions,
  UnplacedCorrections,
} from '@studymate/contracts/transcript-edit';
import type { CallOptions } from './client.ts';

export interface EditOptions extends CallOptions {
  /** Only if the text still has this version; else ApiError `version_mismatch`. */
  version?: number;
}

export interface TranscriptMethods {
  /** As people have corrected it. @param options.version another than the newest; 0 is the machine's */
  getTranscript(lectureId: string, options?: CallOptions & { version?: number }): Promise<VersionedTranscript>;
  /** What is transcribed so far, also of a lecture that still runs, has failed or was cancelled. */
  getPartialTranscript(lectureId: string, options?: CallOptions): Promise<PartialTranscript>;
  /**
   * Corrects the text of segments ('' removes one, null takes up the machine's text again), which makes one more version.
   * @returns the version, and the named segments as they are now
   */
  editTranscript(
    lectureId: string,
    segments: EditTranscript['segments'],
    options?: EditOptions,
  ): Promise<EditedTranscript>;
  /** Newest first; the last is the machine's, 0. */
  listTranscriptVersions(lectureId: string, options?: CallOptions): Promise<TranscriptVersionInfo[]>;
  /** Takes up the text of an earlier version again, as a new one. @returns the version, and the segments that have changed */
  restoreTranscript(lectureId: string, version: number, options?: EditOptions): Promise<EditedTranscript>;
  /** The corrections that have no effect since the recording was transcribed again into other words. */
  getUnplacedCorrections(lectureId: string, options?: CallOptions): Promise<UnplacedCorrections>;
  /** Throws them away; earlier versions still have them. @returns the version, which has the same text */
  discardUnplacedCorrections(lectureId: string, options?: EditOptions): Promise<EditedTranscript>;
}

/** @param request fetches a path below a lecture's, and throws ApiError */
export function createTranscriptMethods(
  request: (lectureId: string, path: string, init: RequestInit, call?: CallOptions) => Promise<Response>,
): TranscriptMethods {
  const read = async <T>(lectureId: string, path: string, call?: CallOptions) =>
    (await request(lectureId, `/transcript${path}`, {}, call)).json() as Promise<T>;
  const send = async (lectureId: string, method: string, path: string, body: unknown, call: EditOptions = {}) => {
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    if (call.version !== undefined) headers['if-match'] = `"${call.version}"`;
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    return (await request(lectureId, `/transcript${path}`, init, call)).json() as Promise<EditedTranscript>;
  };
  return {
    getTranscript: (lectureId, call) =>
      read(lectureId, call?.version === undefined ? '' : `?version=${call.version}`, call),
    getPartialTranscript: (lectureId, call) => read(lectureId, '?partial=true', call),
    editTranscript: (lectureId, segments, call) => send(lectureId, 'PATCH', '', { segments }, call),
    listTranscriptVersions: async (lectureId, call) =>
      (await read<TranscriptVersions>(lectureId, '/versions', call)).versions,
    getUnplacedCorrections: (lectureId, call) => read(lectureId, '/unplaced', call),
    discardUnplacedCorrections: (lectureId, call) => send(lectureId, 'DELETE', '/unplaced', undefined, call),
    restoreTranscript: (lectureId, version, call) => send(lectureId, 'POST', '/restore', { version }, call),
  };
}
