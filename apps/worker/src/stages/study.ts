import {
  chaptersArtifactSchema,
  flashcardsArtifactSchema,
  summaryArtifactSchema,
  topicsArtifactSchema,
} from '@studymate/contracts/artifacts';
import type { StudyStageName } from '@studymate/contracts/stages';
import type { Summary } from '@studymate/contracts/study';
import { attemptOf, studiedVersionOf } from '@studymate/queue/next-jobs';
import type { ArtifactSchema } from '@studymate/storage/artifacts';
import { studyArtifactKey } from '@studymate/storage/lecture-keys';
import { keepCardIds } from '@studymate/study/card-ids';
import type { Stage, StageContext, StageDeps } from '../stage-context.ts';
import { unlessDamaged } from '../unless-damaged.ts';
import { type Companion, searchIndex } from './search-index.ts';
import { toSkippedStudy } from './skip-study.ts';
import type { StudyInput } from './study-inputs.ts';

/** Does over what an algorithm has made, where the operator has named what can. */
interface Refinement<T> {
  /** What it adds to the algorithm's name; null: nobody does it here. */
  name(deps: StageDeps): string | null;
  /** What `name` was when this was made; null when it was not refined. */
  nameOf(content: T): string | null;
  /** @returns null when it is of no use this time */
  refine(deps: StageDeps, context: StageContext, input: Omit<StudyInput, 'cold'>, content: T): Promise<T | null>;
}

interface Extras<T> {
  companion?: Companion<T>;
  refinement?: Refinement<T>;
  follow?: (made: T, before: T) => T;
}

/**
 * One study stage: the shared input, a pure algorithm in the study process, an artifact.
 * @param version of the algorithm; its full name says of whose embeddings the artifact was made
 * @param extras.companion what is made of the artifact and lies beside it; written before it, so that where it is, this is
 * @param extras.refinement an artifact that was refined has another algorithm, so it never stands for one that was not
 * @param extras.follow keeps of what was made the last time by what people know it
 */
function createStudyStage<T>(
  name: StudyStageName,
  version: number,
  schema: ArtifactSchema<{ schemaVersion: 1; content: T }>,
  { companion, refinement, follow }: Extras<T> = {},
): Stage {
  /** What an earlier attempt has made: it stays in the store until the lecture has ended with a later one. */
  const readBefore = async ({ artifacts }: StageDeps, { record, attempt }: StageContext): Promise<T | null> => {
    for (let earlier = attempt - 1; earlier >= 1; earlier--) {
      const key = studyArtifactKey(record.id, name, earlier);
      const found = await unlessDamaged(artifacts.readArtifact(key, schema));
      if (found) return found.content;
    }
    return null;
  };
  return async (deps, context) => {
    const { record, attempt, signal } = context;
    const key = studyArtifactKey(record.id, name, attempt);
    const refined = refinement?.name(deps) ?? null;
    const toAlgorithm = (weights: string, refinedBy: string | null) =>
      `${name}@${version}+${weights}${refinedBy === null ? '' : `+${refinedBy}`}`;
    /** @returns who refined what lies there now: a run that died before it could pin it may have written another one */
    const keep = async (content: T): Promise<string | null> => {
      const isNew = await context.write.createArtifact(key, { schemaVersion: 1, content });
      const kept = isNew || !refinement ? null : await deps.artifacts.readArtifact(key, schema);
      return refinement?.nameOf(kept?.content ?? content) ?? null;
    };
    // A user who asks for a stage again gets it made again, also when it was the transcript that was asked for.
    const isFirst = attempt === 1 && attemptOf(record, 'assemble') === 1;
    const textVersion = studiedVersionOf(record, name);
    // What people have corrected in one lecture says nothing of another.
    if (isFirst && textVersion === 0) {
      const weights = await deps.models.weightsName('text');
      const donated = await deps.donors.findStudyArtifact(record, name, toAlgorithm(weights, refined), schema);
      if (donated && (companion === undefined || (await companion.takeOver(deps, context, donated)))) {
        const algorithm = toAlgorithm(weights, await keep(donated.artifact.content));
        return { pins: { [name]: { key, algorithm, cold: null, reused: true } }, reused: true };
      }
    }
    const read = await deps.studyInputs.read(record, textVersion, context);
    if ('hasWords' in read) return { pins: {}, change: (current) => toSkippedStudy(current, [name], read.hasWords) };
    const { cold, ...input } = read;
    if (cold !== null) context.reportCold(cold);
    context.reportProgress(0.5);
    const { weights, ...own } = input;
    const before = follow ? await readBefore(deps, context) : null;
    const found = (await deps.studyProcess.run(name, own, signal)) as T;
    const made = follow && before ? follow(found, before) : found;
    await companion?.make(deps, context, input, made);
    const better = refined === null ? null : ((await refinement?.refine(deps, context, input, made)) ?? null);
    const algorithm = toAlgorithm(weights, await keep(better ?? made));
    return { pins: { [name]: { key, algorithm } } };
  };
}

const toWrittenName = (model: string) => `written@1+${model}`;
const writtenSummary: Refinement<Summary> = {
  name: ({ summaryWriter }) => summaryWriter && toWrittenName(summaryWriter.model),
  nameOf: ({ method, model }) => (method === 'generative' && model !== undefined ? toWrittenName(model) : null),
  refine: async ({ summaryWriter }, context, input, extracted) =>
    summaryWriter ? summaryWriter.write(context, input, extracted) : null,
};

export const studyStages: Record<StudyStageName, Stage> = {
  chapters: createStudyStage('chapters', 4, chaptersArtifactSchema, { companion: searchIndex }),
  topics: createStudyStage('topics', 3, topicsArtifactSchema),
  summary: createStudyStage('summary', 3, summaryArtifactSchema, { refinement: writtenSummary }),
  flashcards: createStudyStage('flashcards', 4, flashcardsArtifactSchema, { follow: keepCardIds }),
};
