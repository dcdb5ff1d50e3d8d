import type { Conversation, ConversationList } from '@studymate/contracts/conversation';
import type { Course, CoursePage } from '@studymate/contracts/course';
import type { CourseTopics } from '@studymate/contracts/course-topics';
import type { LectureEvent } from '@studymate/contracts/events';
import type { Lecture, LectureChanges, LecturePage } from '@studymate/contracts/lecture';
import type { ModelFamily, ModelStatus } from '@studymate/contracts/models';
import type {
  ChaptersRequest,
  ChaptersResponse,
  SummarizeRequest,
  SummarizeResponse,
  TopicsRequest,
  TranscribeResponse,
} from '@studymate/contracts/requests';
import type { CardReview, Reviews } from '@studymate/contracts/reviews';
import type {
  AskRequest,
  AskResponse,
  RelatedResponse,
  SearchQuery,
  SearchResponse,
} from '@studymate/contracts/search';
import type { Retryable } from '@studymate/contracts/stages';
import type {
  Chapter,
  Flashcard,
  LectureTopic,
  QuizQuestion,
  Summary,
  SummaryLength,
  TopicAssignments,
} from '@studymate/contracts/study';
import type { Waveform } from '@studymate/contracts/waveform';
import { toApiError } from './api-error.ts';
import { type AskEvent, readAnswer } from './ask-stream.ts';
import { type FollowOptions, followLecture } from './follow-lecture.ts';
import { type ResumableUpload, type ResumableUploadOptions, startResumableUpload } from './resumable-upload.ts';
import { readSummary } from './summarize-stream.ts';
import { createTranscriptMethods, type TranscriptMethods } from './transcript-methods.ts';

export interface CallOptions {
  signal?: AbortSignal;
}

export interface WaitOptions extends CallOptions {
  onEvent?: (event: LectureEvent) => void;
}

export interface UploadFields {
  title?: string;
  courseId?: string;
  /** ISO 639-1 code or English name. */
  language?: string;
  /** Course terms that the recogniser should know, at most 200. */
  glossary?: readonly string[];
  /** Told when the work has ended. */
  callbackUrl?: string;
  /** Needed for a Blob, which has no name; a File brings its own. */
  fileName?: string;
  /** A new lecture, also when there is one with the same recording and fields. */
  fresh?: boolean;
  /** A retry with the same key gives the lecture that the first try has made. */
  idempotencyKey?: string;
}

export interface ClipFields {
  /** ISO 639-1 code or English name. */
  language?: string;
  /** Texts of which one is expected; the answer says how likely each is. The clip may then have 28 s. */
  candidates?: readonly string[];
  /** Terms that the recogniser should know, at most 200. */
  glossary?: readonly string[];
  /** Needed for a Blob, which has no name; a File brings its own. */
  fileName?: string;
  /** Made anew, also when the answer to the same clip is kept from before. */
  fresh?: boolean;
}

export interface ListOptions {
  cursor?: string;
  /** 1 to 100, 20 unless given. */
  limit?: number;
  courseId?: string;
}

/** Every method throws ApiError with the API's code, or what `fetch` throws when the API cannot be reached. */
export interface StudyMateClient extends TranscriptMethods {
  /**
   * Makes a lecture, or gives the one that there is with the same recording and fields.
   * In Node, `openAsBlob` of node:fs gives a Blob that is streamed from the disk.
   */
  uploadLecture(file: Blob, fields?: UploadFields, options?: CallOptions): Promise<Lecture>;
  /**
   * Sends a recording in parts that survive lost connections and a restarted API, and makes the lecture when all of it
   * has come. Needs no memory for the whole file.
   */
  startUpload(file: Blob, fields?: UploadFields, options?: ResumableUploadOptions): ResumableUpload;
  listLectures(query?: ListOptions, options?: CallOptions): Promise<LecturePage>;
  getLecture(lectureId: string, options?: CallOptions): Promise<Lecture>;
  /**
   * Changes the title or the course.
   * @param options.version only if the lecture still has this one; else ApiError `version_mismatch`
   */
  changeLecture(
    lectureId: string,
    changes: LectureChanges,
    options?: CallOptions & { version?: number },
  ): Promise<Lecture>;
  deleteLecture(lectureId: string, options?: CallOptions): Promise<void>;
  cancelLecture(lectureId: string, options?: CallOptions): Promise<Lecture>;
  /** @param stage `study`: all that read the transcript, for example when it has been corrected */
  retryStage(lectureId: string, stage: Retryable, options?: CallOptions): Promise<Lecture>;
  /** The lecture's events until its `end`, across lost connections. */
  followLecture(lectureId: string, options?: FollowOptions): AsyncGenerator<LectureEvent, void, undefined>;
  /**
   * Waits until the work on a lecture has ended, however it has: its `status` says how.
   * @param options.onEvent called with each event on the way
   */
  waitForLecture(lectureId: string, options?: WaitOptions): Promise<Lecture>;
  getChapters(lectureId: string, options?: CallOptions & { level?: Chapter['level'] }): Promise<Chapter[]>;
  getTopics(lectureId: string, options?: CallOptions): Promise<LectureTopic[]>;
  /** @param options.length medium unless given */
  getSummary(lectureId: string, options?: CallOptions & { length?: SummaryLength }): Promise<Summary>;
  getFlashcards(lectureId: string, options?: CallOptions): Promise<Flashcard[]>;
  /** Questions with four answers each; `answer` is the place of the right one. */
  getQuiz(lectureId: string, options?: CallOptions): Promise<QuizQuestion[]>;
  /** How loud the recording is in the course of time. */
  getWaveform(lectureId: string, options?: CallOptions): Promise<Waveform>;
  /** What one has answered to the flashcards oneself, in the order of time; others of a course have their own. */
  getReviews(lectureId: string, options?: CallOptions): Promise<CardReview[]>;
  /** Adds reviews; what comes a second time changes nothing. @returns all of them */
  addReviews(lectureId: string, reviews: readonly CardReview[], options?: CallOptions): Promise<CardReview[]>;
  /** Begins anew with all cards. */
  clearReviews(lectureId: string, options?: CallOptions): Promise<void>;
  /** A transcript, chapters or flashcards as a file's text: `text`, `srt`, `vtt`, `youtube`, `anki`, `csv`. */
  getExport(
    lectureId: string,
    part: 'transcript' | 'chapters' | 'flashcards',
    format: string,
    options?: CallOptions,
  ): Promise<string>;
  /** Address of the recording, for a player. */
  mediaUrl(lectureId: string): string;
  /** The recording, or bytes `start` to `end` of it (both inclusive), to be read as it comes: `response.body`. */
  getMedia(lectureId: string, options?: CallOptions & { start?: number; end?: number }): Promise<Response>;
  /** Moments of lectures in which something is said, best first. */
  search(query: SearchQuery, options?: CallOptions): Promise<SearchResponse>;
  /** The passages that answer a question, or that none does. */
  ask(request: AskRequest, options?: CallOptions): Promise<AskResponse>;
  /** The same as it comes: the passages, what a language model says of them statement by statement, and the whole. */
  askStream(request: AskRequest, options?: CallOptions): AsyncGenerator<AskEvent, void, undefined>;
  /** What one has asked, the conversations that were begun last first. */
  listConversations(query?: { limit?: number }, options?: CallOptions): Promise<ConversationList>;
  getConversation(conversationId: string, options?: CallOptions): Promise<Conversation>;
  deleteConversation(conversationId: string, options?: CallOptions): Promise<void>;
  /**
   * Moments of other lectures that treat the same thing as a chapter.
   * @param chapterIndex its place in what `getChapters` gives without a level
   */
  getRelatedMoments(
    lectureId: string,
    chapterIndex: number,
    options?: CallOptions & { courseId?: string; limit?: number },
  ): Promise<RelatedResponse>;
  /** All that one has, as a tape archive to be read as it comes (`response.body`); with the recordings if wanted. */
  exportAll(options?: CallOptions & { media?: boolean }): Promise<Response>;
  /** Courses of one's own, and those that others share. */
  listCourses(query?: Omit<ListOptions, 'courseId'>, options?: CallOptions): Promise<CoursePage>;
  createCourse(title: string, options?: CallOptions): Promise<Course>;
  /** With its members, for its owner. */
  getCourse(courseId: string, options?: CallOptions): Promise<Course>;
  /**
   * Topics over its lectures, with the moments at which they are spoken of; may take seconds when lectures have come or gone.
   * @param options.topicCount joined until so many are left
   */
  getCourseTopics(courseId: string, options?: CallOptions & { topicCount?: number }): Promise<CourseTopics>;
  changeCourse(courseId: string, changes: { title: string }, options?: CallOptions): Promise<Course>;
  /** Its lectures stay, in no course. */
  deleteCourse(courseId: string, options?: CallOptions): Promise<void>;
  /** Lets an owner of lectures read those of the course. */
  addMember(courseId: string, owner: string, options?: CallOptions): Promise<Course>;
  removeMember(courseId: string, owner: string, options?: CallOptions): Promise<void>;
  /** A recording of at most 60 s, at once. */
  transcribe(clip: Blob, fields?: ClipFields, options?: CallOptions): Promise<TranscribeResponse>;
  topics(request: TopicsRequest, options?: CallOptions): Promise<TopicAssignments>;
  chapters(request: ChaptersRequest, options?: CallOptions): Promise<ChaptersResponse>;
  summarize(request: SummarizeRequest, options?: CallOptions): Promise<SummarizeResponse>;
  /** The pieces of a summary as they come; put together they are the summary. */
  summarizeStream(request: SummarizeRequest, options?: CallOptions): AsyncGenerator<string, void, undefined>;
  /** One status a family, over all workers. */
  modelStatus(options?: CallOptions): Promise<ModelStatus[]>;
  /**
   * For pages, which cannot send a header with a player: turns a key or token into a cookie that goes along by itself.
   * @returns whose key it is
   */
  signIn(apiKey: string, options?: CallOptions): Promise<{ owner: string }>;
  signOut(options?: CallOptions): Promise<void>;
  /** Who is signed in. Throws ApiError `unauthenticated` when nobody is. */
  getSession(options?: CallOptions): Promise<{ owner: string }>;
  /** Has models loaded (all unless given) and does not wait for it. @returns their states as they were when it was asked */
  warmup(families?: ModelFamily[], options?: CallOptions): Promise<ModelStatus[]>;
}

export interface ClientOptions {
  /** Where the API is, for example "http://127.0.0.1:3000"; "" for the page's own origin. */
  baseUrl: string;
  /** A key or token, sent with every call (`Authorization: Bearer`), where the API asks for one. */
  apiKey?: string;
  fetch?: typeof fetch;
}

const sessionPath = '/api/v1/session';

export function createClient(options: ClientOptions): StudyMateClient {
  const base = options.baseUrl.replace(/\/+$/, '');
  // Called as a plain function: a browser's fetch refuses to be a method of something else.
  const { fetch: plainFetch = fetch, apiKey } = options;
  const send = (url: string, init: RequestInit): Promise<Response> => {
    if (apiKey === undefined) return plainFetch(url, init);
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${apiKey}`);
    return plainFetch(url, { ...init, headers });
  };
  const coursePath = (courseId: string) => `/api/v1/courses/${encodeURIComponent(courseId)}`;
  const memberPath = (courseId: string, owner: string) =>
    `${coursePath(courseId)}/members/${encodeURIComponent(owner)}`;
  const conversationPath = (id: string) => `/api/v1/conversations/${encodeURIComponent(id)}`;
  const lecturePath = (lectureId: string) => `/api/v1/lectures/${encodeURIComponent(lectureId)}`;

  const request = async (path: string, init: RequestInit, call: CallOptions = {}): Promise<Response> => {
    const response = await send(`${base}${path}`, { ...init, ...(call.signal && { signal: call.signal }) });
    if (!response.ok) throw await toApiError(response);
    return response;
  };
  const get = async <T>(path: string, call?: CallOptions) => (await request(path, {}, call)).json() as Promise<T>;
  const post = async <T>(path: string, body: unknown, call?: CallOptions) => {
    const headers = { 'content-type': 'application/json' };
    const init = body === undefined ? { method: 'POST' } : { method: 'POST', headers, body: JSON.stringify(body) };
    return (await request(path, init, call)).json() as Promise<T>;
  };
  const postFile = async <T>(
    path: string,
    file: Blob,
    { fileName, ...fields }: { fileName?: string } & Record<string, string | readonly string[] | undefined>,
    call?: CallOptions,
    headers: Record<string, string> = {},
  ) => {
    const form = new FormData();
    // Before the file, so that a mistake in them is found before it is sent.
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) form.append(name, typeof value === 'string' ? value : JSON.stringify(value));
    }
    const name = fileName ?? ('name' in file && typeof file.name === 'string' ? file.name : 'recording');
    form.append('file', file, name);
    return (await request(path, { method: 'POST', body: form, headers }, call)).json() as Promise<T>;
  };

  return {
    uploadLecture: (file, { fresh, idempotencyKey, ...fields } = {}, call) =>
      postFile('/api/v1/lectures', file, { ...fields }, call, toCreateHeaders(fresh, idempotencyKey)),
    startUpload: (file, { fresh, idempotencyKey, fileName, ...fields } = {}, upload) =>
      startResumableUpload(
        {
          baseUrl: base,
          headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
          async createLecture(uploadId) {
            const headers = { 'content-type': 'application/json', ...toCreateHeaders(fresh, idempotencyKey) };
            const body = JSON.stringify({ uploadId, ...fields });
            const response = await request('/api/v1/lectures', { method: 'POST', headers, body });
            const isNew = response.headers.get('idempotent-replayed') !== 'true';
            return { lecture: (await response.json()) as Lecture, isNew };
          },
          async deleteLecture(lectureId) {
            await request(lecturePath(lectureId), { method: 'DELETE' });
          },
        },
        file,
        fileName,
        upload,
      ),
    listLectures: (query = {}, call) => get(`/api/v1/lectures${toQuery({ ...query })}`, call),
    getLecture: (lectureId, call) => get(lecturePath(lectureId), call),
    changeLecture: async (lectureId, changes, call) => {
      const headers: Record<string, string> = { 'content-type': 'application/json' };
      if (call?.version !== undefined) headers['if-match'] = `"${call.version}"`;
      const init = { method: 'PATCH', headers, body: JSON.stringify(changes) };
      return (await request(lecturePath(lectureId), init, call)).json() as Promise<Lecture>;
    },
    async deleteLecture(lectureId, call) {
      await request(lecturePath(lectureId), { method: 'DELETE' }, call);
    },
    cancelLecture: (lectureId, call) => post(`${lecturePath(lectureId)}/cancel`, undefined, call),
    retryStage: (lectureId, stage, call) => post(`${lecturePath(lectureId)}/stages/${stage}/retry`, undefined, call),
    followLecture: (lectureId, follow) =>
      followLecture((init) => send(`${base}${lecturePath(lectureId)}/events`, init), follow),
    async waitForLecture(lectureId, call = {}) {
      const { signal, onEvent } = call;
      const path = `${base}${lecturePath(lectureId)}/events`;
      for await (const event of followLecture((init) => send(path, init), signal && { signal })) onEvent?.(event);
      signal?.throwIfAborted();
      return get(lecturePath(lectureId), call);
    },
    ...createTranscriptMethods((lectureId, path, init, call) =>
      request(`${lecturePath(lectureId)}${path}`, init, call),
    ),
    getChapters: (lectureId, call) => get(`${lecturePath(lectureId)}/chapters${toQuery({ level: call?.level })}`, call),
    getTopics: (lectureId, call) => get(`${lecturePath(lectureId)}/topics`, call),
    getSummary: (lectureId, call) => get(`${lecturePath(lectureId)}/summary${toQuery({ length: call?.length })}`, call),
    getFlashcards: (lectureId, call) => get(`${lecturePath(lectureId)}/flashcards`, call),
    getQuiz: (lectureId, call) => get(`${lecturePath(lectureId)}/quiz`, call),
    getWaveform: (lectureId, call) => get(`${lecturePath(lectureId)}/waveform`, call),
    getReviews: async (lectureId, call) => (await get<Reviews>(`${lecturePath(lectureId)}/reviews`, call)).reviews,
    addReviews: async (lectureId, reviews, call) =>
      (await post<Reviews>(`${lecturePath(lectureId)}/reviews`, { reviews }, call)).reviews,
    async clearReviews(lectureId, call) {
      await request(`${lecturePath(lectureId)}/reviews`, { method: 'DELETE' }, call);
    },
    getExport: async (lectureId, part, format, call) =>
      (await request(`${lecturePath(lectureId)}/${part}${toQuery({ format })}`, {}, call)).text(),
    mediaUrl: (lectureId) => `${base}${lecturePath(lectureId)}/media`,
    getMedia(lectureId, { start, end, ...call } = {}) {
      const hasRange = start !== undefined || end !== undefined;
      const headers: Record<string, string> = hasRange ? { range: `bytes=${start ?? 0}-${end ?? ''}` } : {};
      return request(`${lecturePath(lectureId)}/media`, { headers }, call);
    },
    search: (query, call) => get(`/api/v1/search${toQuery({ ...query } as Record<string, string | number>)}`, call),
    ask: (body, call) => post('/api/v1/ask', body, call),
    async *askStream(body, call) {
      const headers = { 'content-type': 'application/json' };
      const init = { method: 'POST', headers, body: JSON.stringify({ ...body, stream: true }) };
      const response = await request('/api/v1/ask', init, call);
      if (response.body) yield* readAnswer(response.body);
    },
    listConversations: (query = {}, call) => get(`/api/v1/conversations${toQuery({ ...query })}`, call),
    getConversation: (id, call) => get(conversationPath(id), call),
    async deleteConversation(id, call) {
      await request(conversationPath(id), { method: 'DELETE' }, call);
    },
    getRelatedMoments: (lectureId, chapterIndex, { courseId, limit, ...call } = {}) =>
      get(`${lecturePath(lectureId)}/chapters/${chapterIndex}/related${toQuery({ courseId, limit })}`, call),
    exportAll: ({ media, ...call } = {}) => request(`/api/v1/export${media ? '?media=true' : ''}`, {}, call),
    listCourses: (query = {}, call) => get(`/api/v1/courses${toQuery({ ...query })}`, call),
    createCourse: (title, call) => post('/api/v1/courses', { title }, call),
    getCourse: (courseId, call) => get(coursePath(courseId), call),
    getCourseTopics: (courseId, { topicCount, ...call } = {}) =>
      get(`${coursePath(courseId)}/topics${toQuery({ topicCount })}`, call),
    changeCourse: async (courseId, changes, call) => {
      const headers = { 'content-type': 'application/json' };
      const init = { method: 'PATCH', headers, body: JSON.stringify(changes) };
      return (await request(coursePath(courseId), init, call)).json() as Promise<Course>;
    },
    async deleteCourse(courseId, call) {
      await request(coursePath(courseId), { method: 'DELETE' }, call);
    },
    addMember: async (courseId, owner, call) =>
      (await request(memberPath(courseId, owner), { method: 'PUT' }, call)).json() as Promise<Course>,
    async removeMember(courseId, owner, call) {
      await request(memberPath(courseId, owner), { method: 'DELETE' }, call);
    },
    transcribe(clip, { fresh, ...fields } = {}, call) {
      const headers: Record<string, string> = fresh ? { 'cache-control': 'no-cache' } : {};
      return postFile('/api/v1/transcribe', clip, { ...fields }, call, headers);
    },
    topics: (body, call) => post('/api/v1/topics', body, call),
    chapters: (body, call) => post('/api/v1/chapters', body, call),
    summarize: (body, call) => post('/api/v1/summarize', body, call),
    async *summarizeStream(body, call) {
      const headers = { 'content-type': 'application/json' };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      const response = await request('/api/v1/summarize/stream', init, call);
      if (response.body) yield* readSummary(response.body);
    },
    modelStatus: async (call) => (await get<{ models: ModelStatus[] }>('/api/v1/models/status', call)).models,
    signIn: (key, call) => post(sessionPath, { apiKey: key }, call),
    getSession: (call) => get(sessionPath, call),
    async signOut(call) {
      await request(sessionPath, { method: 'DELETE' }, call);
    },
    warmup: async (families, call) =>
      (await post<{ models: ModelStatus[] }>('/api/v1/warmup', families && { families }, call)).models,
  };
}

function toCreateHeaders(fresh = false, idempotencyKey?: string): Record<string, string> {
  const headers: Record<string, string> = fresh ? { 'cache-control': 'no-cache' } : {};
  if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
  return headers;
}

function toQuery(values: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
