import type { CollectorPlace } from '@studymate/contracts/places';
import type { SettingValues } from './settings.ts';

/** @returns null where nothing is traced */
export function toTracing(v: SettingValues): CollectorPlace | null {
  if (v.OTEL_EXPORTER_OTLP_ENDPOINT === '') return null;
  return {
    endpoint: v.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/, ''),
    headers: v.OTEL_EXPORTER_OTLP_HEADERS,
    serviceName: v.OTEL_SERVICE_NAME || null,
    sampler: v.OTEL_TRACES_SAMPLER,
    sampleRatio: v.OTEL_TRACES_SAMPLER_ARG,
  };
}
