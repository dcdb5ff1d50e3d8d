import type { z } from 'zod';

/** A field of a request that is not as it should be. `path` is '' for the request as a whole. */
export interface RequestMistake {
  path: string;
  /** What is expected, to be read after the field's name. */
  message: string;
}

type Issue = z.core.$ZodIssue;

const maxMistakes = 20;

const nameByType: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a text',
};

/** The first mistakes that a schema found, in words that need no knowledge of the schema. */
export function toRequestMistakes(error: z.ZodError): RequestMistake[] {
  return error.issues.slice(0, maxMistakes).map((issue) => {
    const { path, message } = toPlainIssue(issue);
    return { path: path.map(String).join('.'), message };
  });
}

/** Goes into the form that a value was probably meant to have: `{"id": 1, "text": "x"}` is no bad text, its id is bad. */
function toPlainIssue(issue: Issue): { path: PropertyKey[]; message: string } {
  if (issue.code !== 'invalid_union') return { path: issue.path, message: issue.message };
  const forms = issue.errors.map((issues) => issues[0]).filter((first) => first !== undefined);
  const meant = forms.find((first) => first.code !== 'invalid_type' || first.path.length > 0);
  if (meant) {
    const inner = toPlainIssue(meant as Issue);
    return { path: [...issue.path, ...inner.path], message: inner.message };
  }
  const types = forms.map((first) => (first.code === 'invalid_type' ? toTypeName(first.expected) : ''));
  return { path: issue.path, message: `must be ${types.filter((type) => type !== '').join(' or ')}` };
}

/** An error map for zod: what is expected, without the names of its types. Messages given in a schema go before it. */
export function toPlainMessage(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type': {
      const type = toTypeName(issue.expected);
      return issue.input === undefined ? `is missing; it must be ${type}` : `must be ${type}`;
    }
    case 'invalid_value':
      if (issue.values.length === 1) return `must be ${String(issue.values[0])}`;
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return toBound(issue.origin, Number(issue.minimum), 'at least');
    case 'too_big':
      return toBound(issue.origin, Number(issue.maximum), 'at most');
    case 'unrecognized_keys':
      return `must not have ${issue.keys.join(', ')}`;
    default:
      return 'is not of the expected form';
  }
}

function toTypeName(expected: string): string {
  return nameByType[expected] ?? `of the type ${expected}`;
}

function toBound(origin: string, bound: number, side: 'at least' | 'at most'): string {
  const isEmpty = side === 'at least' && bound === 1;
  if (origin === 'string') return isEmpty ? 'must not be empty' : `must have ${side} ${bound} characters`;
  if (origin === 'array') return isEmpty ? 'must not be empty' : `must have ${side} ${bound} entries`;
  return `must be ${side} ${bound}`;
}
