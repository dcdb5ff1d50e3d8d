import { createId } from '@studymate/contracts/ids';
import type { Keys } from '@studymate/queue/keys';
import { withRedis } from '@studymate/queue/redis';
import type { Redis } from 'ioredis';

/**
 * What was asked before, for a day: a question may lean on the one before it. It can be lost without harm, and only the last
 * questions of an owner are kept, so that nobody fills the memory by asking.
 */
export interface Conversations {
  /** @returns the question before, or null; also while Redis is away */
  readLast(owner: string, conversationId: string): Promise<string | null>;
  /** @returns the conversation's id, a new one where none was given */
  remember(owner: string, conversationId: string | undefined, question: string): Promise<string>;
}

const keptSeconds = 86_400;
/** Of one owner, in all conversations together: at most some 300 kB. */
export const keptQuestions = 200;
/** A memory is for convenience; an answer does not wait for it. */
const timeoutMs = 300;

/** @param deps.cacheRedis may evict what it likes */
export function createConversations(deps: { cacheRedis: Redis; keys: Keys }): Conversations {
  const { cacheRedis, keys } = deps;
  return {
    async readLast(owner, id) {
      const kept = () => cacheRedis.lrange(keys.conversations(owner), 0, keptQuestions - 1);
      const lines = await withRedis(kept, timeoutMs).catch(() => []);
      const own = lines.find((line) => line.startsWith(`${id} `));
      return own?.slice(id.length + 1) ?? null;
    },
    async remember(owner, given, question) {
      const id = given ?? createId();
      const key = keys.conversations(owner);
      const keep = () =>
        cacheRedis
          .multi()
          .lpush(key, `${id} ${question}`)
          .ltrim(key, 0, keptQuestions - 1)
          .expire(key, keptSeconds)
          .exec();
      await withRedis(keep, timeoutMs).catch(() => {});
      return id;
    },
  };
}

const pointers = /\b(?:it|its|they|them|their|he|him|his|she|her|this|that|these|those|there|then|one|ones)\b/i;
const continuations = /^(?:and|but|so|or|also|what about|how about|why|how come|when|where|who|which one)\b/i;
const fewWords = 8;

/** Whether a question can hardly be understood without the one before: "And who invented it?" */
export function leansOnLast(question: string): boolean {
  const count = question.split(/\s+/).length;
  if (count <= 3) return continuations.test(question) || pointers.test(question);
  return count <= fewWords && (pointers.test(question) || /^(?:and|but|so|what about|how about)\b/i.test(question));
}
