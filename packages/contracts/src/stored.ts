import type { z } from 'zod';

/**
 * The schema of something that is read, changed and written again, perhaps by the copy of an earlier StudyMate that runs beside
 * a later one: fields that it does not know stay as they are.
 */
export function keepingUnknown<T extends z.ZodObject>(schema: T): T {
  // By the type there are none: a misspelt field is still a mistake.
  return schema.loose() as z.ZodObject as T;
}
