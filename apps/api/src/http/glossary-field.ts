import { parseGlossary, toGlossary } from '@studymate/contracts/glossary';
import type { Recognition } from '@studymate/contracts/lecture-record';

/**
 * The terms so far and those of one more `glossary` field: a form may give it once for each term.
 * @throws AppError `invalid_request`
 */
export function readGlossary(soFar: readonly string[], field: string): string[] {
  return toGlossary([...soFar, ...parseGlossary(field)]);
}

/** What is kept of a glossary; nothing of an empty one. */
export function toRecognition(glossary: readonly string[]): Recognition | undefined {
  return glossary.length === 0 ? undefined : { glossary: [...glossary] };
}
