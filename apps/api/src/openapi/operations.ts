import { audioOperations } from './audio-operations.ts';
import { courseOperations } from './course-operations.ts';
import { lectureOperations } from './lecture-operations.ts';
import type { Operations } from './operation.ts';
import { quickOperations } from './quick-operations.ts';
import { reviewOperations } from './review-operations.ts';
import { searchOperations } from './search-operations.ts';
import { serviceOperations } from './service-operations.ts';
import { transcriptOperations } from './transcript-operations.ts';
import { uploadOperations } from './upload-operations.ts';

/** Every public route, under "METHOD /path" as express knows it; a test compares them with those of the app. */
export const operations: Operations = {
  ...lectureOperations,
  ...transcriptOperations,
  ...searchOperations,
  ...reviewOperations,
  ...courseOperations,
  ...uploadOperations,
  ...quickOperations,
  ...audioOperations,
  ...serviceOperations,
};
