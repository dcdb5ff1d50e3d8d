import type { RequestListener } from 'node:http';
import type { Config } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import { createLanguageModel } from '@studymate/language-model/language-model';
import { traceLanguageModel } from '@studymate/language-model/trace-language-model';
import type { Readiness } from '@studymate/observability/internal-server';
import type { Logger } from '@studymate/observability/logger';
import type { Metrics } from '@studymate/observability/metrics';
import type { Tracer } from '@studymate/observability/tracer';
import { createOwnerSlots } from '@studymate/queue/owner-slots';
import express from 'express';
import { createAdmission } from './admission.ts';
import { createAuthenticator } from './auth/authenticate.ts';
import { addSessionRoute } from './auth/session-route.ts';
import { createTokenVerifier } from './auth/token-verifier.ts';
import { createCacheStore } from './cache/cache-store.ts';
import { createResponseCache } from './cache/response-cache.ts';
import { createCourseLectures } from './courses/course-lectures.ts';
import { createCourseReader } from './courses/course-reader.ts';
import { addCourseRoutes } from './courses/course-routes.ts';
import { addCourseTopicsRoute } from './courses/course-topics-route.ts';
import { addExportRoute } from './export/export-route.ts';
import { addHealthRoutes, createReadiness } from './health.ts';
import { addHome } from './home.ts';
import { createCors } from './http/cors.ts';
import { createErrorHandler } from './http/errors.ts';
import { createRequestContext, refuseCrossSite } from './http/request-context.ts';
import { createSecurityHeaders } from './http/security-headers.ts';
import { collectOnScrape, createInternalHandler } from './internal.ts';
import { addArtifactRoutes } from './lectures/artifact-routes.ts';
import { createLectureChanger } from './lectures/change-lecture.ts';
import { createLectureCreator } from './lectures/create-lecture.ts';
import { addEventRoute } from './lectures/event-route.ts';
import { createEventStreams } from './lectures/event-streams.ts';
import { createLectureFromUploadHandler } from './lectures/lecture-from-upload.ts';
import { createLectureReader } from './lectures/lecture-reader.ts';
import { addLectureRoutes } from './lectures/lecture-routes.ts';
import { addMediaRoute } from './lectures/media-route.ts';
import { addReviewRoutes } from './lectures/review-routes.ts';
import { createSubmitter } from './lectures/submit.ts';
import { addTranscriptRoutes } from './lectures/transcript-routes.ts';
import { createUploadHandler } from './lectures/upload-route.ts';
import { createRateLimit } from './limits/rate-limit.ts';
import { addModelRoutes } from './models/model-routes.ts';
import { addAudioRoutes } from './openai/audio-routes.ts';
import { createTranscriptRequests } from './openai/request-transcript.ts';
import { addOpenApiRoutes } from './openapi/openapi-routes.ts';
import { addTextRoutes } from './quick/text-routes.ts';
import { addTranscribeRoute } from './quick/transcribe-route.ts';
import { addConversationRoutes } from './search/conversation-routes.ts';
import { addSearchRoutes } from './search/search-routes.ts';
import { createServices } from './services.ts';
import { createSummaries } from './summaries/summaries.ts';
import { addUploadRoutes } from './uploads/upload-routes.ts';

export interface Api {
  /** Everything on the public port. */
  handler: RequestListener;
  /** What the internal port has besides metrics and health. */
  internalHandler: RequestListener;
  readiness: () => Promise<Readiness>;
  /** Ends the event streams, whose readers are told to come back, and stalled players. Requests in progress go on. */
  endStreams(): void;
  /** Event streams that are open. */
  listenerCount(): number;
  close(): Promise<void>;
}

export interface ApiDeps {
  config: Config;
  logger: Logger;
  metrics: Metrics;
  tracer: Tracer;
  /** Folder of the built page, or null for none. */
  webDir: string | null;
}

/**
 * Puts the API together. It starts, and serves what needs the store alone, also while Redis is away.
 * @throws AppError `storage_unavailable` when the data folder cannot be used
 */
export async function createApi({ config, logger, metrics, tracer, webDir }: ApiDeps): Promise<Api> {
  const services = await createServices({ config, logger, metrics, tracer });
  const courseReader = createCourseReader(services);
  const courseLectures = createCourseLectures(services);
  const reader = createLectureReader({ ...services, courseReader });
  const submitter = createSubmitter({ ...services, logger });
  const ownerSlots = createOwnerSlots(services);
  const admission = createAdmission({ ...services, limits: config.limits, submitter, ownerSlots });
  const streams = createEventStreams({ services, reader, logger });
  const stopping = new AbortController();
  const { auth: mode, jwt } = config.api;
  const auth = createAuthenticator({ mode, keys: services.apiKeys, ...(jwt && { tokens: createTokenVerifier(jwt) }) });
  const readiness = createReadiness(services);
  collectOnScrape(services, { metrics, dataDir: config.s3 ? null : config.dataDir });

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  // The caller's address, for the limit on wrong keys: proxies stand on this machine or in its private network.
  app.set('trust proxy', 'loopback, linklocal, uniquelocal');
  app.use(
    createRequestContext({ logger, metrics, tracer }),
    createSecurityHeaders(),
    createCors(config.api.corsOrigins),
  );
  app.use(refuseCrossSite);
  addHealthRoutes(app, { readiness });
  addHome(app, { webDir });
  // Health and the page's own files stand before it: they are not counted.
  const rate = createRateLimit({ ...services, limits: config.limits });
  app.use(rate.byAddress);
  addSessionRoute(app, { auth });
  addOpenApiRoutes(app);
  // Whatever is added from here on is for owners alone.
  app.use(auth.authenticate, rate.byOwner);
  const creator = createLectureCreator({ ...services, reader, submitter, retentionDays: config.retentionDays });
  const { uploads, uploadLocks: locks } = services;
  addUploadRoutes(app, { config, uploads, locks, auth, stopping: stopping.signal });
  const fromUpload = createLectureFromUploadHandler({
    config,
    ...services,
    locks,
    reader,
    courseReader,
    creator,
    submitter,
    admission,
  });
  const upload = createUploadHandler({ config, ...services, reader, courseReader, creator, admission, fromUpload });
  const changer = createLectureChanger({ services, reader, logger });
  addLectureRoutes(app, {
    services,
    reader,
    courseReader,
    courseLectures,
    changer,
    submitter,
    admission,
    upload,
    logger,
  });
  addCourseRoutes(app, { ...services, courseReader, auth });
  addCourseTopicsRoute(app, { services, courseReader, courseLectures, admission });
  addArtifactRoutes(app, { services, reader });
  addReviewRoutes(app, { ...services, reader });
  addMediaRoute(app, { ...services, reader, stopping: stopping.signal });
  addExportRoute(app, { services, reader, stopping: stopping.signal });
  addEventRoute(app, { streams, reader, auth });
  const { clipSeconds, textSeconds, summarySeconds } = config.cache;
  const cache = createResponseCache({
    store: createCacheStore({
      redis: services.cacheRedis,
      prefix: config.redis.prefix,
      onError: (error) => logger.debug({ err: error }, 'the cache could not be used'),
    }),
    ttlSeconds: {
      clip: clipSeconds,
      topics: textSeconds,
      chapters: textSeconds,
      summary: textSeconds,
      'summary-stream': summarySeconds,
    },
    onResult: metrics.countCache,
  });
  addTranscribeRoute(app, { services, admission, logger, cache });
  const requests = createTranscriptRequests({ services, admission, submitter, streams, changer });
  addAudioRoutes(app, { config, services, requests, auth, logger });
  const model = config.llm && traceLanguageModel(tracer, createLanguageModel(config.llm));
  const summaries = createSummaries({ ...services, breaker: services.breakers.languageModel, model, logger });
  addTextRoutes(app, { services, admission, summaries, cache });
  addModelRoutes(app, { services });
  addConversationRoutes(app, services);
  const search = addSearchRoutes(app, { config, services, courseReader, admission, model, logger });
  addTranscriptRoutes(app, { services, reader, changer, onEdited: search.forget });
  app.use(() => {
    throw new AppError('not_found', 'There is no such path.');
  });
  app.use(createErrorHandler({ logger }));

  return {
    handler: app,
    internalHandler: createInternalHandler(services),
    readiness,
    endStreams() {
      stopping.abort();
      streams.close();
    },
    listenerCount: () => streams.listenerCount,
    async close() {
      streams.close();
      submitter.close();
      search.close();
      await services.close();
    },
  };
}
