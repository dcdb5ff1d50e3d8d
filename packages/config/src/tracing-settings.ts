import { traceSamplers } from '@studymate/contracts/places';
import { z } from 'zod';
import { httpUrl, type Setting, setting } from './setting.ts';

/** `name=value` with commas between them, values percent-encoded, as the OpenTelemetry specification has it. */
const headers = z.string().transform((text, context) => {
  const found: Record<string, string> = {};
  for (const pair of text.split(',').filter((each) => each.trim() !== '')) {
    const [, name, encoded] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*([!-+\--~]*)\s*$/.exec(pair) ?? [];
    const value = encoded === undefined ? null : decode(encoded);
    if (name === undefined || value === null) {
      const message = 'give name=value with commas between them, such as api-key=0123; spaces in a value as %20';
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    found[name] = value;
  }
  return found;
});

/** @returns null when it is no value that a header may have */
function decode(text: string): string | null {
  try {
    const value = decodeURIComponent(text);
    return /^[ -~]*$/.test(value) ? value : null;
  } catch {
    return null;
  }
}

/** Where traces go. The names are those of the OpenTelemetry specification. */
export const tracingSettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(
    z.union(
      [z.literal(''), httpUrl.refine((text) => !/[?#]/.test(text))],
      'give an address such as http://127.0.0.1:4318, without user, password and /v1/traces',
    ),
    '',
    'An OpenTelemetry collector that takes traces by HTTP (OTLP, at /v1/traces). Without it nothing is traced.',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: setting(
    headers,
    '',
    'What is sent to it besides, as name=value with commas between them, such as a key.',
  ),
  OTEL_SERVICE_NAME: setting(
    z.string().max(200),
    '',
    'The service that traces name; without it studymate-api, studymate-worker and studymate-model.',
  ),
  OTEL_TRACES_SAMPLER: setting(
    z.enum(traceSamplers, `give one of ${traceSamplers.join(', ')}`),
    'parentbased_always_on',
    'Which traces are kept. Those that begin with parentbased_ keep what the caller keeps, and choose where there is none.',
  ),
  OTEL_TRACES_SAMPLER_ARG: setting(
    z
      .string()
      .regex(/^(0?\.\d+|0|1(\.0+)?)$/, 'give a number from 0 to 1')
      .transform(Number),
    '1',
    'The share that traceidratio and parentbased_traceidratio keep, 0 to 1.',
  ),
} as const satisfies Record<string, Setting<z.ZodType>>;
