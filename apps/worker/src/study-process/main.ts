import { toPlainError } from '@studymate/contracts/errors';
import { type StudyOperation, studyOperations } from './operations.ts';
import type { FromStudyProcess, ToStudyProcess } from './study-process.ts';

// The worker ends this process with SIGKILL; it ends by itself when the worker is gone. Ctrl-C reaches the whole
// process group, and the worker decides when its children end.
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {});

/** One piece of work after the other, as they come. */
process.on('message', (message) => {
  const { id, operation, input } = message as ToStudyProcess;
  let answer: FromStudyProcess;
  try {
    const run = studyOperations[operation as StudyOperation] as (input: unknown) => unknown;
    answer = { id, value: run(input) };
  } catch (error) {
    answer = { id, error: toPlainError(error) };
  }
  if (process.connected) process.send?.(answer);
});
