import {
  chaptersArtifactSchema,
  flashcardsArtifactSchema,
  summaryArtifactSchema,
  topicsArtifactSchema,
} from '@studymate/contracts/artifacts';
import type { StudyStageName } from '@studymate/contracts/stages';
import type { Summary } from '@studymate/contracts/study';
import { attemptOf } from '@studymate/queue/next-jobs';
import type { ArtifactSchema } from '@studymate/storage/artifacts';
import { studyArtifactKey } from '@studymate/storage/lecture-keys';
import type { Stage, StageContext, StageDeps } from '../stage-context.ts';
import { type Companion, searchIndex } from './search-index.ts';
import type { StudyInput } from './study-inputs.ts';

/** Does over what an algorithm has made, where the operator has named what can. */
interface Refinement<T> {
  /** What it adds to the algorithm's name; null: nobody does it here. */
  name(deps: StageDeps): string | null;
  /** @returns null when it is of no use this time */
  refine(deps: StageDeps, context: StageContext, input: Omit<StudyInput, 'cold'>, content: T): Promise<T | null>;
}

/**
 * One study stage: the shared input, a pure algorithm in the study process, an artifact.
 * @param version of the algorithm; its full name says of whose embeddings the artifact was made
 * @param extras.companion what is made of the artifact and lies beside it; written before it, so that where it is, this is
 * @param extras.refinement an artifact that was refined has another algorithm, so it never stands for one that was not
 */
function createStudyStage<T>(
  name: StudyStageName,
  version: number,
  schema: ArtifactSchema<{ schemaVersion: 1; content: T }>,
  { companion, refinement }: { companion?: Companion<T>; refinement?: Refinement<T> } = {},
): Stage {
  return async (deps, context) => {
    const { record, attempt, signal } = context;
    const key = studyArtifactKey(record.id, name, attempt);
    const refined = refinement?.name(deps) ?? null;
    const toAlgorithm = (weights: string, isRefined: boolean) =>
      `${name}@${version}+${weights}${isRefined ? `+${refined}` : ''}`;
    // A user who asks for a stage again gets it made again, also when it was the transcript that was asked for.
    const isFirst = attempt === 1 && attemptOf(record, 'assemble') === 1;
    if (isFirst) {
      const algorithm = toAlgorithm(await deps.models.weightsName('text'), refined !== null);
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
    const made = (await deps.studyProcess.run(name, own, signal)) as T;
    await companion?.make(deps, context, input, made);
    const better = refined === null ? null : ((await refinement?.refine(deps, context, input, made)) ?? null);
    await context.write.createArtifact(key, { schemaVersion: 1, content: better ?? made });
    return { pins: { [name]: { key, algorithm: toAlgorithm(weights, better !== null) } } };
  };
}

const writtenSummary: Refinement<Summary> = {
  name: ({ summaryWriter }) => summaryWriter && `written@1+${summaryWriter.model}`,
  refine: async ({ summaryWriter }, context, input, extracted) =>
    summaryWriter ? summaryWriter.write(context, input, extracted) : null,
};

export const studyStages: Record<StudyStageName, Stage> = {
  chapters: createStudyStage('chapters', 3, chaptersArtifactSchema, { companion: searchIndex }),
  topics: createStudyStage('topics', 2, topicsArtifactSchema),
  summary: createStudyStage('summary', 2, summaryArtifactSchema, { refinement: writtenSummary }),
  flashcards: createStudyStage('flashcards', 2, flashcardsArtifactSchema),
};
