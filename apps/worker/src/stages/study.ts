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

/**
 * One study stage: the shared input, a pure algorithm in the study process, an artifact.
 * @param version of the algorithm; its full name says of whose embeddings the artifact was made
 */
function createStudyStage<T>(
  name: StudyStageName,
  version: number,
  schema: ArtifactSchema<{ schemaVersion: 1; content: T }>,
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
      if (donated) {
        await context.write.createArtifact(key, donated);
        return { pins: { [name]: { key, algorithm, cold: null, reused: true } }, reused: true };
      }
    }
    const { cold, weights, ...input } = await deps.studyInputs.read(record, context);
    if (cold !== null) context.reportCold(cold);
    context.reportProgress(0.5);
    const content = await deps.studyProcess.run(name, input, signal);
    await context.write.createArtifact(key, { schemaVersion: 1, content });
    return { pins: { [name]: { key, algorithm: toAlgorithm(weights) } } };
  };
}

export const studyStages: Record<StudyStageName, Stage> = {
  chapters: createStudyStage('chapters', 1, chaptersArtifactSchema),
  topics: createStudyStage('topics', 1, topicsArtifactSchema),
  summary: createStudyStage('summary', 1, summaryArtifactSchema),
  flashcards: createStudyStage('flashcards', 1, flashcardsArtifactSchema),
};
