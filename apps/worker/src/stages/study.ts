import {
  chaptersArtifactSchema,
  flashcardsArtifactSchema,
  summaryArtifactSchema,
  topicsArtifactSchema,
} from '@studymate/contracts/artifacts';
import type { StudyStageName } from '@studymate/contracts/stages';
import { attemptOf } from '@studymate/queue/next-jobs';
import type { ArtifactSchema } from '@studymate/storage/artifacts';
import { studyArtifactKey } from '@studymate/storage/lecture-keys';
import type { Stage } from '../stage-context.ts';
import { type Companion, searchIndex } from './search-index.ts';

/**
 * One study stage: the shared input, a pure algorithm in the study process, an artifact.
 * @param version of the algorithm; its full name says of whose embeddings the artifact was made
 * @param companion what is made of the artifact and lies beside it; written before it, so that where it is, this is
 */
function createStudyStage<T>(
  name: StudyStageName,
  version: number,
  schema: ArtifactSchema<{ schemaVersion: 1; content: T }>,
  companion?: Companion<T>,
): Stage {
  return async (deps, context) => {
    const { record, attempt, signal } = context;
    const key = studyArtifactKey(record.id, name, attempt);
    const toAlgorithm = (weights: string) => `${name}@${version}+${weights}`;
    // A user who asks for a stage again gets it made again, also when it was the transcript that was asked for.
    const isFirst = attempt === 1 && attemptOf(record, 'assemble') === 1;
    if (isFirst) {
      const algorithm = toAlgorithm(await deps.models.weightsName('text'));
      const donated = await deps.donors.findStudyArtifact(record, name, algorithm, schema);
      if (donated && (companion === undefined || (await companion.takeOver(deps, context, donated)))) {
        await context.write.createArtifact(key, donated.artifact);
        return { pins: { [name]: { key, algorithm, cold: null, reused: true } }, reused: true };
      }
    }
    const { cold, ...input } = await deps.studyInputs.read(record, context);
    if (cold !== null) context.reportCold(cold);
    context.reportProgress(0.5);
    const { weights, ...own } = input;
    const content = (await deps.studyProcess.run(name, own, signal)) as T;
    await companion?.make(deps, context, input, content);
    await context.write.createArtifact(key, { schemaVersion: 1, content });
    return { pins: { [name]: { key, algorithm: toAlgorithm(weights) } } };
  };
}

export const studyStages: Record<StudyStageName, Stage> = {
  chapters: createStudyStage('chapters', 2, chaptersArtifactSchema, searchIndex),
  topics: createStudyStage('topics', 2, topicsArtifactSchema),
  summary: createStudyStage('summary', 2, summaryArtifactSchema),
  flashcards: createStudyStage('flashcards', 2, flashcardsArtifactSchema),
};
