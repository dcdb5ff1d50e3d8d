import { getJson, RequestError, uploadFile } from './api-client.mjs';
import { readEvents } from './event-stream.mjs';

const parts = ['transcript', 'chapters', 'topics', 'summary', 'flashcards'];

/**
 * Uploads one recording, follows its events to the end, and fetches what was made of it.
 *
 * @param {object} params
 * @param {string} params.apiUrl
 * @param {string} params.filePath
 * @param {string} params.file the name under which the result is reported
 * @param {AbortSignal} params.signal
 * @param {(state: {lecture: object | null, uploaded: number | null, lastText: string}) => void} params.onProgress
 * @returns {Promise<object>} one entry of the demo's `lectures`; `error` is set when something went wrong
 */
export async function studyLecture({ apiUrl, filePath, file, signal, onProgress }) {
  const entry = {
    file,
    lectureId: null,
    ...Object.fromEntries(parts.map((part) => [part, null])),
    stages: null,
    firstWordsSeconds: null,
    realTimeFactor: null,
  };
  try {
    const created = await uploadFile({
      url: `${apiUrl}/api/v1/lectures`,
      filePath,
      fields: { title: toTitle(file) },
      onProgress: (sent, total) => onProgress({ lecture: null, uploaded: sent / total, lastText: '' }),
    });
    const acknowledgedMs = performance.now();
    entry.lectureId = created.id;
    const url = `${apiUrl}/api/v1/lectures/${created.id}`;
    const followed = await followLecture({ url, created, acknowledgedMs, signal, onProgress });
    const lecture = await getJson(url);
    Object.assign(entry, await fetchParts({ url, lecture }));
    entry.stages = Object.fromEntries(
      lecture.stages.map((stage) => [
        stage.name,
        { seconds: stage.seconds, cold: stage.cold, ...(stage.reused && { reused: true }) },
      ]),
    );
    entry.firstWordsSeconds = followed.firstWordsSeconds;
    // What was taken over from an earlier lecture says nothing of how quick the model is.
    const isMade = !lecture.stages.some((stage) => stage.name === 'transcribe' && stage.reused);
    entry.realTimeFactor =
      isMade && followed.transcriptSeconds !== null && lecture.durationSeconds > 0
        ? rounded(followed.transcriptSeconds / lecture.durationSeconds, 4)
        : null;
    const error = errorOf(lecture);
    if (error !== null) entry.error = error;
  } catch (error) {
    entry.error = { code: error instanceof RequestError ? error.code : 'demo_failed', message: error.message };
  }
  return entry;
}

/**
 * Reads the events until `end`. Seconds count from the acknowledgement of the upload.
 *
 * @returns {Promise<{firstWordsSeconds: number | null, transcriptSeconds: number | null}>} until the first text came,
 *   and until the whole transcript was assembled
 */
async function followLecture({ url, created, acknowledgedMs, signal, onProgress }) {
  const since = () => rounded((performance.now() - acknowledgedMs) / 1000, 3);
  const state = { lecture: created, uploaded: 1, lastText: '' };
  let firstWordsSeconds = null;
  let transcriptSeconds = null;
  onProgress(state);
  const estimates = refreshEstimates({ url, state, onProgress });
  try {
    for await (const { type, data } of readEvents({ url: `${url}/events`, signal })) {
      if (type === 'snapshot') {
        state.lecture = data.lecture;
      } else if (type === 'stage') {
        state.lecture = withStage(state.lecture, data.stage);
      } else if (type === 'lecture') {
        state.lecture = { ...state.lecture, ...data.changes };
      } else if (type === 'segments' && data.segments.length > 0) {
        firstWordsSeconds ??= since();
        state.lastText = data.segments.at(-1).text;
      }
      const assembled = state.lecture.stages.find((stage) => stage.name === 'assemble');
      if (assembled?.status === 'done') transcriptSeconds ??= since();
      onProgress(state);
      if (type === 'end') break;
    }
  } finally {
    estimates.close();
  }
  if (signal.aborted) throw new RequestError('cancelled', 'stopped before the lecture was done');
  return { firstWordsSeconds, transcriptSeconds };
}

/** Estimates change by the second and are not worth an event: they are asked for. */
function refreshEstimates({ url, state, onProgress }) {
  let closed = false;
  const timer = setInterval(async () => {
    const fresh = await getJson(url).catch(() => null);
    if (fresh === null || closed) return;
    state.lecture = { ...state.lecture, queue: fresh.queue };
    onProgress(state);
  }, 1_000);
  return {
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}

function withStage(lecture, stage) {
  return { ...lecture, stages: lecture.stages.map((known) => (known.name === stage.name ? stage : known)) };
}

const stageOfPart = { transcript: 'assemble' };

/** What was made of the lecture. A part is null when its stage failed, or was skipped because nobody speaks. */
async function fetchParts({ url, lecture }) {
  const found = {};
  for (const part of parts) {
    const status = lecture.stages.find((stage) => stage.name === (stageOfPart[part] ?? part))?.status;
    found[part] = status === 'done' ? await getJson(`${url}/${part}`) : null;
  }
  if (found.transcript !== null) {
    const { text, language, segments } = found.transcript;
    found.transcript = { text, language, segments, words: segments.flatMap((segment) => segment.words) };
  }
  return found;
}

function errorOf(lecture) {
  if (lecture.status === 'ready') return null;
  const failed = lecture.stages.find((stage) => stage.error !== undefined);
  if (failed === undefined) return { code: lecture.status, message: `The lecture is ${lecture.status}.` };
  return { code: failed.error.code, message: failed.error.message, stage: failed.name };
}

/** "history-of_printing.mp3" → "History of printing" */
function toTitle(file) {
  const name = file
    .split(/[\\/]/)
    .at(-1)
    .replace(/\.[^.]{1,5}$/, '')
    .replaceAll(/[-_\s]+/g, ' ')
    .trim()
    .slice(0, 200);
  return name === '' ? 'Untitled' : name[0].toUpperCase() + name.slice(1);
}

function rounded(value, digits) {
  return Number(value.toFixed(digits));
}
