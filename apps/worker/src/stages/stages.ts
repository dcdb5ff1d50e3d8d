import type { StageName } from '@studymate/contracts/stages';
import type { Stage } from '../stage-context.ts';
import { assemble } from './assemble.ts';
import { ingest } from './ingest.ts';
import { studyStages } from './study.ts';
import { transcribe } from './transcribe.ts';

/** What each stage does. To add one: its name in contracts, its place in nextJobs, its kind of job, a row here. */
export const stages: Record<StageName, Stage> = { ingest, transcribe, assemble, ...studyStages };
