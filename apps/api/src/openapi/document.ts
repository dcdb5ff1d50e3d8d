import { errorAnswerSchema } from '@studymate/contracts/answers';
import { coursePageSchema, courseSchema, ownerNameSchema } from '@studymate/contracts/course';
import { type ErrorCode, errorCatalogue } from '@studymate/contracts/errors';
import { idSchema } from '@studymate/contracts/ids';
import { lecturePageSchema, lectureSchema } from '@studymate/contracts/lecture';
import { modelStatusSchema } from '@studymate/contracts/models';
import { openaiErrorSchema } from '@studymate/contracts/openai';
import { retryableSchema } from '@studymate/contracts/stages';
import { chapterSchema, flashcardSchema, lectureTopicSchema, summarySchema } from '@studymate/contracts/study';
import { partialTranscriptSchema, segmentSchema, versionedTranscriptSchema } from '@studymate/contracts/transcript';
import { editedTranscriptSchema } from '@studymate/contracts/transcript-edit';
import { z } from 'zod';
import { openaiPath } from '../openai/openai-error.ts';
import { type Answer, allErrors, type BodySchema, type Operation, type Operations } from './operation.ts';

/** That of this app's package.json, which a test compares. */
export const apiVersion = '0.1.0';

export type Json = { readonly [name: string]: unknown };

/** Schemas that have a name in the document; all others stand where they are used. */
const named: Readonly<Record<string, z.ZodType>> = {
  Lecture: lectureSchema,
  LecturePage: lecturePageSchema,
  Course: courseSchema,
  CoursePage: coursePageSchema,
  Segment: segmentSchema,
  Transcript: versionedTranscriptSchema,
  PartialTranscript: partialTranscriptSchema,
  EditedTranscript: editedTranscriptSchema,
  Chapter: chapterSchema,
  LectureTopic: lectureTopicSchema,
  Summary: summarySchema,
  Flashcard: flashcardSchema,
  ModelStatus: modelStatusSchema,
  Error: errorAnswerSchema,
  OpenaiError: openaiErrorSchema,
};

const pathParameters: Readonly<Record<string, { description: string; schema: z.ZodType }>> = {
  id: { description: 'The id of the lecture or course.', schema: idSchema },
  owner: { description: 'The name of an owner.', schema: ownerNameSchema },
  stage: { description: 'A stage of a lecture, or `study` for all that read the transcript.', schema: retryableSchema },
  index: {
    description: 'The place of a chapter in the list of all chapters, from 0.',
    schema: z.number().int().min(0),
  },
  model: { description: 'The name of a model.', schema: z.string().min(1) },
};

/**
 * Describes operations as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1), from the schemas that check requests and
 * answers. Pure.
 */
export function toOpenApiDocument(operations: Operations): Json {
  const schemas: Record<string, unknown> = {};
  const toSchema = createSchemaWriter(schemas);
  const paths: Record<string, Record<string, Json>> = {};
  for (const [key, operation] of Object.entries(operations)) {
    const [method = '', path = ''] = key.split(' ');
    const templated = path.replace(/:(\w+)/g, '{$1}');
    paths[templated] ??= {};
    paths[templated][method.toLowerCase()] = toOperation(method, path, operation, toSchema);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'StudyMate',
      version: apiVersion,
      description: 'Turns a recorded lecture into something to study from. Times are seconds, as numbers.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(Object.values(operations).map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A key (AUTH=keys) or a token (AUTH=jwt).' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        session: { type: 'apiKey', in: 'cookie', name: 'studymate_key', description: 'Set by POST /api/v1/session.' },
      },
    },
  };
}

type SchemaWriter = (schema: z.ZodType, io: 'input' | 'output') => Json;

/** Puts named schemas into `schemas` as they are met, and refers to them. */
function createSchemaWriter(schemas: Record<string, unknown>): SchemaWriter {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  return (schema, io) => {
    // What JSON Schema cannot say (rules over several fields) is left to the route.
    const written = z.toJSONSchema(schema, { io, metadata: registry, unrepresentable: 'any' });
    const { $schema, $defs, ...json } = JSON.parse(
      JSON.stringify(written).replaceAll('"#/$defs/', '"#/components/schemas/'),
    ) as { $schema?: string; $defs?: Record<string, Record<string, unknown>> } & Record<string, unknown>;
    for (const [name, { id: _name, ...definition }] of Object.entries($defs ?? {})) schemas[name] = definition;
    return json;
  };
}

function toOperation(method: string, path: string, operation: Operation, toSchema: SchemaWriter): Json {
  const { summary, tag, isOpen, body } = operation;
  return {
    operationId: toOperationId(method, path),
    summary,
    tags: [tag],
    // With AUTH=off no key is asked for.
    security: isOpen ? [] : [{}, { bearer: [] }, { apiKey: [] }, { session: [] }],
    parameters: toParameters(path, operation, toSchema),
    ...(body && {
      requestBody: {
        required: body.required,
        content: mapValues(body.content, (schema) => toMediaType(schema, toSchema)),
      },
    }),
    responses: {
      ...mapValues(operation.answers, (answer) => toResponse(answer, toSchema)),
      ...toRefusals(method, path, operation, toSchema),
    },
  };
}

/** For example `getLecturesIdTranscript`. */
function toOperationId(method: string, path: string): string {
  const words = path.replace(/^\/api\/v1/, '').split(/[^A-Za-z0-9]+/);
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function toParameters(path: string, { query, requestHeaders }: Operation, toSchema: SchemaWriter): Json[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => {
    const found = pathParameters[name];
    if (!found) throw new Error(`${path}: the parameter ${name} is not described`);
    return {
      name,
      in: 'path',
      required: true,
      description: found.description,
      schema: toSchema(found.schema, 'input'),
    };
  });
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: toSchema(schema as z.ZodType, 'output'),
  }));
  const inHeaders = Object.entries(requestHeaders ?? {}).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
  return [...inPath, ...inQuery, ...inHeaders];
}

function toMediaType(schema: BodySchema, toSchema: SchemaWriter): Json {
  if (!('fields' in schema)) return { schema: toSchema(schema, 'input') };
  const fields = Object.entries(schema.fields);
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(
        fields.map(([name, field]) => [name, { description: field.description, ...field.schema }]),
      ),
      required: fields.filter(([, field]) => field.required).map(([name]) => name),
    },
  };
}

const requestId = { 'X-Request-Id': "Finds the request in the log; the caller's own if it is a plain one." };

/** One of a stream of server-sent events. */
const event = {
  type: 'object',
  properties: {
    event: { type: 'string', description: 'Its name; "message" where none is given.' },
    id: { type: 'string' },
    data: { type: 'string', description: 'JSON.' },
    retry: { type: 'integer', description: 'Milliseconds after which to come back.' },
  },
};

function toResponse({ description, content, headers }: Answer, toSchema: SchemaWriter): Json {
  return {
    description,
    headers: toHeaders({ ...requestId, ...headers }),
    ...(content && {
      content: mapValues(content, (schema) => {
        if (schema === 'binary') return {};
        if (schema === 'events') return { schema: event };
        return { schema: schema === 'text' ? { type: 'string' } : toSchema(schema, 'output') };
      }),
    }),
  };
}

function toHeaders(headers: Readonly<Record<string, string>>): Json {
  return mapValues(headers, (description) => ({ description, schema: { type: 'string' } }));
}

/** One response a status, with the codes that it may have. */
function toRefusals(method: string, path: string, operation: Operation, toSchema: SchemaWriter): Json {
  const isOpenai = path.startsWith(openaiPath);
  const form = toSchema(isOpenai ? openaiErrorSchema : errorAnswerSchema, 'output');
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of allErrors(method, operation)) {
    const { status } = errorCatalogue[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const refusals = [...byStatus].map(([status, codes]) => {
    const known = operation.answers[status]?.content?.['application/json'];
    // OpenAI's SDKs know some codes under names of their own.
    const codesOnly = { properties: { error: { properties: { code: { enum: codes } } } } };
    const refusal = isOpenai ? form : { allOf: [form, codesOnly] };
    const schema = known instanceof z.ZodType ? { anyOf: [toSchema(known, 'output'), refusal] } : refusal;
    const description = codes.map((code) => `\`${code}\`: ${errorCatalogue[code].meaning}`).join('\n\n');
    const retryAfter = status === 429 || status === 503 ? { 'Retry-After': 'Seconds, at most 60.' } : {};
    const response = {
      description,
      headers: toHeaders({ ...requestId, ...retryAfter }),
      content: { 'application/json': { schema } },
    };
    return [String(status), response] as const;
  });
  return Object.fromEntries(refusals);
}

function mapValues<T>(values: Readonly<Record<string, T>>, toValue: (value: T) => unknown): Json {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toValue(value)]));
}
