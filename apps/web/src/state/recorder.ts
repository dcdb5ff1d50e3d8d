import { type ReadonlySignal, signal } from '@preact/signals';
import type { RecordingMemory } from './recording-memory.ts';
import { createSoundLevel } from './sound-level.ts';

export type RecorderState = 'idle' | 'asking' | 'recording' | 'paused' | 'refused' | 'unsupported';

export interface Recorder {
  state: ReadonlySignal<RecorderState>;
  /** How much has been recorded, without pauses. */
  seconds: ReadonlySignal<number>;
  /** How loud it is, 0 to 1. */
  level: ReadonlySignal<number>;
  /** @param courseId of the course that it will belong to */
  start(courseId: string | null): Promise<void>;
  pause(): void;
  resume(): void;
  /** Ends it, and gives the recording to `onRecorded`. */
  stop(): void;
  /** Ends it, and throws it away. */
  discard(): void;
  /** Recordings of this person that a closed page or a crash has left. */
  recover(person: string): Promise<void>;
  /** Somebody signs out: nothing of what they recorded stays in this browser. @param person null: not known who */
  forgetAll(person: string | null): Promise<void>;
}

/** A long lecture with its break; then it stops by itself and is sent. */
export const maxRecordingSeconds = 4 * 3600;
/** Often, because what came since is lost in a crash. */
const pieceMs = 2_000;
/** Clear for speech; some 30 MB an hour. */
const audioBitsPerSecond = 64_000;
const types = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus'];

/** Records what the microphone hears. What it has is kept piece by piece, so that a crash costs two seconds. */
export function createRecorder(deps: {
  memory: RecordingMemory;
  /** Who records; null before it is known. */
  readPerson(): string | null;
  /** Resolves when the recording is kept somewhere else. */
  onRecorded(file: File, courseId: string | null): Promise<void>;
  /** As `onRecorded`, of a recording that was left by a closed page. */
  onLeft(file: File, courseId: string | null): Promise<void>;
}): Recorder {
  const { memory } = deps;
  const isSupported = 'mediaDevices' in navigator && typeof MediaRecorder !== 'undefined';
  const state = signal<RecorderState>(isSupported ? 'idle' : 'unsupported');
  const seconds = signal(0);
  const level = signal(0);
  /** Those that were asked for, and those of this window. */
  const taken = new Set<string>();
  let running: { media: MediaRecorder; finish(isWanted: boolean): void } | null = null;

  const start = async (courseId: string | null) => {
    if (state.peek() !== 'idle' && state.peek() !== 'refused') return;
    state.value = 'asking';
    let stream: MediaStream;
    try {
      // Filters for telephony would cut into a voice from the other end of a hall.
      const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: true };
      stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch {
      state.value = 'refused';
      return;
    }
    try {
      record(stream, courseId);
    } catch {
      // No format that both know.
      for (const track of stream.getTracks()) track.stop();
      state.value = 'refused';
    }
  };

  const record = (stream: MediaStream, courseId: string | null) => {
    const mimeType = types.find((type) => MediaRecorder.isTypeSupported(type));
    const media = new MediaRecorder(stream, { audioBitsPerSecond, ...(mimeType !== undefined && { mimeType }) });
    const startedAt = new Date();
    const kept = memory.begin({
      owner: deps.readPerson(),
      type: media.mimeType,
      startedAt: startedAt.getTime(),
      courseId,
    });
    taken.add(`${startedAt.getTime()}`);
    // While there is still a connection.
    void loadDuration().catch(() => {});
    const pieces: Blob[] = [];
    const meter = createSoundLevel(stream, (value) => {
      level.value = value;
    });
    let isWanted = true;
    let lastMs = performance.now();
    const clock = setInterval(() => {
      const nowMs = performance.now();
      if (media.state === 'recording') seconds.value += (nowMs - lastMs) / 1000;
      lastMs = nowMs;
      if (seconds.peek() >= maxRecordingSeconds) running?.finish(true);
    }, 250);
    media.addEventListener('dataavailable', ({ data }) => {
      if (data.size === 0) return;
      pieces.push(data);
      kept.add(data, seconds.peek());
    });
    // Also when the microphone is unplugged.
    media.addEventListener('stop', () => {
      clearInterval(clock);
      meter.close();
      for (const track of stream.getTracks()) track.stop();
      running = null;
      const durationSeconds = seconds.peek();
      state.value = 'idle';
      seconds.value = 0;
      level.value = 0;
      const handOver = async () => {
        const whole = await toWhole(pieces, durationSeconds);
        await deps.onRecorded(toFile(whole, media.mimeType, startedAt), courseId);
      };
      void (isWanted && pieces.length > 0 ? handOver() : Promise.resolve()).then(kept.forget);
    });
    running = {
      media,
      finish(wanted) {
        isWanted = wanted;
        if (media.state !== 'inactive') media.stop();
      },
    };
    seconds.value = 0;
    media.start(pieceMs);
    state.value = 'recording';
  };

  return {
    state,
    seconds,
    level,
    start,
    pause() {
      running?.media.pause();
      if (running !== null) state.value = 'paused';
    },
    resume() {
      running?.media.resume();
      if (running !== null) state.value = 'recording';
    },
    stop: () => running?.finish(true),
    discard: () => running?.finish(false),
    async forgetAll(person) {
      running?.finish(false);
      await memory.forgetAll(person);
    },
    async recover(person) {
      for (const id of await memory.list()) {
        if (taken.has(id)) continue;
        taken.add(id);
        void memory.take(id, person).then(async (left) => {
          taken.delete(id);
          if (left === null) return;
          taken.add(id);
          const whole = await toWhole(left.pieces, left.seconds);
          await deps.onLeft(toFile(whole, left.type, new Date(left.startedAt)), left.courseId);
          await left.forget();
        });
      }
    },
  };
}

/** Not needed before the first recording is whole. */
const loadDuration = () => import('./recording-duration.ts');

/** With its length, which the browser did not know when it began; without it where that cannot be written. */
async function toWhole(pieces: Blob[], seconds: number | null): Promise<Blob[]> {
  try {
    return seconds === null ? pieces : await (await loadDuration()).withDuration(pieces, seconds);
  } catch {
    return pieces;
  }
}

/** Named by when it was begun, in the form that sorts by itself. */
function toFile(pieces: readonly Blob[], type: string, startedAt: Date): File {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${startedAt.getFullYear()}-${two(startedAt.getMonth() + 1)}-${two(startedAt.getDate())}`;
  const ending = type.startsWith('audio/mp4') ? 'm4a' : type.startsWith('audio/ogg') ? 'ogg' : 'webm';
  const name = `Recording ${day} ${two(startedAt.getHours())}.${two(startedAt.getMinutes())}.${ending}`;
  const plainType = type.split(';')[0] ?? '';
  return new File([...pieces], name, { type: plainType, lastModified: startedAt.getTime() });
}
