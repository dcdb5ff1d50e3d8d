import { isDeepStrictEqual } from 'node:util';
import { errorAnswerSchema } from '@studymate/contracts/answers';
import { errorCatalogue } from '@studymate/contracts/errors';
import { openaiErrorSchema } from '@studymate/contracts/openai';
import { z } from 'zod';
import { allErrors, type Operation } from '../../src/openapi/operation.ts';
import { operations } from '../../src/openapi/operations.ts';

const patterns = Object.entries(operations).map(([key, operation]) => {
  const [method = '', path = ''] = key.split(' ');
  return { key, method, operation, pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}/?$`) };
});

/** `fetch` that fails when an answer is not as the API's description says. */
export const checkedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  const method = init?.method ?? 'GET';
  const { pathname } = new URL(response.url);
  const found = patterns.find((each) => each.method === method && each.pattern.test(pathname));
  const problem = found && (await findProblem(found.method, found.operation, response));
  if (problem) throw new Error(`${found.key} answered ${response.status}: ${problem}`);
  return response;
};

/** @returns what is not as described, or null. The body is read from a copy. */
async function findProblem(method: string, operation: Operation, response: Response): Promise<string | null> {
  const answer = operation.answers[response.status];
  const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const codes = allErrors(method, operation).filter((code) => errorCatalogue[code].status === response.status);
  if (!answer && codes.length === 0) return 'the status is not described';
  const body: unknown = type === 'application/json' ? await response.clone().json() : undefined;
  if (!answer?.content || (codes.length > 0 && isRefusal(body))) {
    if (answer && !answer.content) return type === '' ? null : `a body of the type ${type} is not described`;
    const { error } = errorAnswerSchema.or(openaiErrorSchema).parse(body);
    const known: string[] = [...codes, 'invalid_api_key', 'model_not_found'];
    return known.includes(error.code) ? null : `the code ${error.code} is not described`;
  }
  const schema = answer.content[type] ?? answer.content['*/*'];
  if (schema === undefined) return `the type ${type} is not described`;
  if (!(schema instanceof z.ZodType)) return null;
  const parsed = schema.safeParse(body);
  if (!parsed.success) return z.prettifyError(parsed.error);
  return isDeepStrictEqual(parsed.data, body) ? null : `fields that are not described: ${JSON.stringify(body)}`;
}

function isRefusal(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'error' in body;
}
