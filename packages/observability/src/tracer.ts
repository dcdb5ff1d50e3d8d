import { toAppError } from '@studymate/contracts/errors';
import type { CollectorPlace } from '@studymate/contracts/places';

/** Never text of a user, a title, a name of a file or a person's id. */
export type SpanAttributes = Record<string, string | number | boolean>;

export interface SpanOptions {
  /** Default: work inside this process. */
  kind?: 'server' | 'client' | 'consumer';
  /** A W3C `traceparent`: of whoever asked for the work. Default: the active span; without any a trace begins here. */
  parent?: string | undefined;
  attributes?: SpanAttributes;
  /** Milliseconds since 1970; now unless given. */
  startedAtMs?: number;
  /** It is a model process's work, which that has told of. */
  isOfModel?: boolean;
}

/** A piece of work in a trace. */
export interface Span {
  /** 32 hex digits, for logs; undefined where nothing is traced. */
  readonly traceId: string | undefined;
  rename(name: string): void;
  setAttributes(attributes: SpanAttributes): void;
  /** The work failed, with one of the codes of the error catalogue. */
  fail(code: string): void;
  /** @param atMs milliseconds since 1970; now unless given */
  end(atMs?: number): void;
}

/**
 * Traces in the sense of OpenTelemetry. The active span is kept along everything that `run` and `span` call, also after
 * it has waited. Nothing here throws or waits because of the collector.
 */
export interface Tracer {
  /** False: everything here does nothing. */
  readonly isOn: boolean;
  /** Begins a span; whoever asks for it ends it. */
  start(name: string, options?: SpanOptions): Span;
  /** Does the work while the span is the active one. */
  run<T>(span: Span, work: () => T): T;
  /** Does the work as a span of its own, which ends with it and says with which code it failed. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>;
  /** Of the active span; undefined without one. */
  traceId(): string | undefined;
  /** The active span as a W3C `traceparent`, to be handed to another process. */
  traceparent(): string | undefined;
  /** Sends what is left; takes two seconds at most, whatever the collector does. */
  close(): Promise<void>;
}

const noSpan: Span = {
  traceId: undefined,
  rename() {},
  setAttributes() {},
  fail() {},
  end() {},
};

export const noTracer: Tracer = {
  isOn: false,
  start: () => noSpan,
  run: (_span, work) => work(),
  span: (_name, _options, work) => work(noSpan),
  traceId: () => undefined,
  traceparent: () => undefined,
  close: async () => {},
};

export interface TracerOptions {
  /** Null: nothing is traced, and no library is loaded. */
  collector: CollectorPlace | null;
  /** What kind of process this is. */
  service: 'api' | 'worker';
  /** The collector does not take what is sent to it. Called once, until it does again. */
  onTrouble(reason: string): void;
  onBack(): void;
}

export async function createTracer({ collector, ...options }: TracerOptions): Promise<Tracer> {
  if (!collector) return noTracer;
  const { createOtlpTracer } = await import('./otlp-tracer.ts');
  return createOtlpTracer({ collector, ...options });
}

/** The code under which an error is known, for spans. */
export function toSpanCode(error: unknown): string {
  return toAppError(error).code;
}
