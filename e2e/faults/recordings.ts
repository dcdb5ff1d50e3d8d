import { excerpt } from '../support/recordings.ts';

/**
 * Stretches of the sample. `long` is cut into three chunks, so that there is work left when the first is done;
 * `short` is one window and a bit, for faults in the stages that come after the transcript.
 */
const stretches = {
  long: { startSeconds: 0, seconds: 165 },
  short: { startSeconds: 19, seconds: 32 },
} as const;
export type RecordingName = keyof typeof stretches;

export interface Recordings {
  make(name: RecordingName): Promise<File>;
}

/** Makes files of equal sound and different bytes: what is uploaded twice must not be answered from what is kept. */
export function createRecordings(): Recordings {
  const made = new Map<RecordingName, Promise<Uint8Array<ArrayBuffer>>>();
  let count = 0;
  const bytesOf = async (name: RecordingName) => {
    const { startSeconds, seconds } = stretches[name];
    return new Uint8Array(await (await excerpt('lecture.mp3', startSeconds, seconds)).arrayBuffer());
  };
  return {
    async make(name) {
      const bytes = made.get(name) ?? bytesOf(name);
      made.set(name, bytes);
      return new File([await bytes, toId3v1Tag(`${process.pid} ${count++}`)], 'lecture.mp3');
    },
  };
}

/** The 128 bytes that stand at the end of an MP3 file: "TAG", a title of 30 characters, nothing more. */
function toId3v1Tag(title: string): Uint8Array<ArrayBuffer> {
  const tag = new Uint8Array(128);
  new TextEncoder().encodeInto('TAG', tag);
  new TextEncoder().encodeInto(title.slice(0, 30), tag.subarray(3));
  return tag;
}
