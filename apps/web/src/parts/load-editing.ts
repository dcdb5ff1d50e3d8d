import { MissingPartError } from '../text/problems.ts';

/** @returns what is needed to correct a text; a file of its own @throws {MissingPartError} */
export const loadEditing = () =>
  import('./editing.ts').catch((cause: unknown) => {
    throw new MissingPartError('The code for corrections cannot be loaded', { cause });
  });
