import { passagesArtifactSchema } from '@studymate/contracts/artifacts';
import type { Chapter } from '@studymate/contracts/study';
import { passagesKey, searchIndexKey } from '@studymate/storage/lecture-keys';
import type { DonatedArtifact } from '../donors.ts';
import type { StageContext, StageDeps } from '../stage-context.ts';
import { unlessDamaged } from '../unless-damaged.ts';
import { hashOfEmbedded, type StudyInput } from './study-inputs.ts';

/** What a stage makes besides its artifact. */
export interface Companion<T> {
  make(deps: StageDeps, context: StageContext, input: Omit<StudyInput, 'cold'>, content: T): Promise<void>;
  /** Copies what lies beside another lecture's artifact. @returns false when it is not there, or cannot be read */
  takeOver(deps: StageDeps, context: StageContext, donated: DonatedArtifact<unknown>): Promise<boolean>;
}

/**
 * What the lecture is searched by. It belongs to the chapters because no passage runs over one's start, and needs no model:
 * a passage's vector is made of those of its sentences.
 */
export const searchIndex: Companion<Chapter[]> = {
  async make({ studyProcess }, { record, attempt, signal, write }, input, chapters) {
    const { sentences, weights } = input;
    const { passages, index } = await studyProcess.run('searchIndex', { ...input, chapters }, signal);
    const texts = sentences.map(({ text }) => text);
    const content = { inputHash: hashOfEmbedded(texts, weights), passages };
    await write.createArtifact(passagesKey(record.id, attempt), { schemaVersion: 1, content });
    await write.createBytes(searchIndexKey(record.id, attempt), index);
  },
  async takeOver({ artifacts }, { record, attempt, write }, { lectureId, attempt: theirs }) {
    const passages = await unlessDamaged(
      artifacts.readArtifact(passagesKey(lectureId, theirs), passagesArtifactSchema),
    );
    const index = await artifacts.readBytes(searchIndexKey(lectureId, theirs));
    if (!passages || !index) return false;
    await write.createArtifact(passagesKey(record.id, attempt), passages);
    await write.createBytes(searchIndexKey(record.id, attempt), index);
    return true;
  },
};
