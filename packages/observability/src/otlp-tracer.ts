import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { type Context, type Span as OtelSpan, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { ExportResultCode, parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import type { CollectorPlace } from '@studymate/contracts/places';
import { type Span, type SpanOptions, type Tracer, type TracerOptions, toSpanCode } from './tracer.ts';

/** Spans that wait to be sent, some 2 MB; further ones are lost, and nobody waits for them. */
const maxWaitingSpans = 2_048;
const maxSpansARequest = 512;
const sendAfterMs = 1_000;
const sendTimeoutMs = 5_000;
const closeTimeoutMs = 2_000;

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER } as const;

/** A span of ours, and what the library calls it. */
interface OurSpan extends Span {
  readonly inner: OtelSpan;
}

/** The tracer that sends: OTLP over HTTP, as JSON. To be imported only where a collector is configured. */
export function createOtlpTracer({
  collector,
  service,
  onTrouble,
  onBack,
}: Omit<TracerOptions, 'collector'> & { collector: CollectorPlace }): Tracer {
  const processor = new BatchSpanProcessor(
    toTellingExporter(
      new OTLPTraceExporter({
        url: `${collector.endpoint}/v1/traces`,
        headers: collector.headers,
        timeoutMillis: sendTimeoutMs,
      }),
      { onTrouble, onBack },
    ),
    {
      maxQueueSize: maxWaitingSpans,
      maxExportBatchSize: maxSpansARequest,
      scheduledDelayMillis: sendAfterMs,
      exportTimeoutMillis: sendTimeoutMs,
    },
  );
  const instanceId = randomUUID();
  const createSource = (name: string) =>
    new BasicTracerProvider({
      resource: resourceFromAttributes({
        'service.namespace': 'studymate',
        'service.name': collector.serviceName ?? `studymate-${name}`,
        'service.instance.id': instanceId,
      }),
      sampler: toSampler(collector),
      spanProcessors: [processor],
      spanLimits: { attributeCountLimit: 32, attributeValueLengthLimit: 200 },
    }).getTracer('studymate');
  const ours = createSource(service);
  const models = createSource('model');
  const active = new AsyncLocalStorage<OurSpan>();
  let closing: Promise<void> | undefined;

  const start = (name: string, options: SpanOptions = {}): OurSpan => {
    const { kind, parent, attributes, startedAtMs, isOfModel } = options;
    const inner = (isOfModel ? models : ours).startSpan(
      name,
      {
        kind: kind ? kinds[kind] : SpanKind.INTERNAL,
        ...(attributes && { attributes }),
        ...(startedAtMs !== undefined && { startTime: new Date(startedAtMs) }),
      },
      toContext(parent, active.getStore()),
    );
    return {
      inner,
      traceId: inner.spanContext().traceId,
      rename: (next) => void inner.updateName(next),
      setAttributes: (more) => void inner.setAttributes(more),
      fail(code) {
        inner.setAttribute('error.type', code);
        inner.setStatus({ code: SpanStatusCode.ERROR });
      },
      end: (atMs) => inner.end(atMs === undefined ? undefined : new Date(atMs)),
    };
  };
  const run = <T>(span: Span, work: () => T): T => active.run(span as OurSpan, work);

  return {
    isOn: true,
    start,
    run,
    async span(name, options, work) {
      const span = start(name, options);
      try {
        return await run(span, () => work(span));
      } catch (error) {
        span.fail(toSpanCode(error));
        throw error;
      } finally {
        span.end();
      }
    },
    traceId: () => active.getStore()?.traceId,
    traceparent() {
      const context = active.getStore()?.inner.spanContext();
      if (!context) return undefined;
      return `00-${context.traceId}-${context.spanId}-${(context.traceFlags & 1).toString().padStart(2, '0')}`;
    },
    close() {
      closing ??= within(closeTimeoutMs, processor.shutdown());
      return closing;
    },
  };
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  // What could not be sent has been reported.
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
}

/** @param parent as the caller gave it; one that is malformed counts as none, as the specification has it */
function toContext(parent: string | undefined, active: OurSpan | undefined): Context {
  if (parent !== undefined) {
    const remote = parseTraceParent(parent);
    return remote ? trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true }) : ROOT_CONTEXT;
  }
  return active ? trace.setSpan(ROOT_CONTEXT, active.inner) : ROOT_CONTEXT;
}

function toSampler({ sampler, sampleRatio }: CollectorPlace): Sampler {
  switch (sampler) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(sampleRatio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) });
  }
}

/** Says when spans begin to be lost on their way, and when they come through again. */
function toTellingExporter(
  exporter: SpanExporter,
  { onTrouble, onBack }: Pick<TracerOptions, 'onTrouble' | 'onBack'>,
): SpanExporter {
  let isInTrouble = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS;
        if (failed && !isInTrouble) onTrouble(result.error?.message ?? 'no reason given');
        if (!failed && isInTrouble) onBack();
        isInTrouble = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
