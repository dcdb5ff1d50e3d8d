import {
  type Conversation,
  type ConversationTurn,
  storedConversationTurnSchema,
} from '@studymate/contracts/conversation';
import { AppError, toAppError } from '@studymate/contracts/errors';
import { parseStored, toJsonBytes } from './artifacts.ts';
import type { BlobStore } from './blob-store.ts';
import { inBatches } from './in-batches.ts';
import { conversationsPrefix, conversationTurnKey, parseConversationTurnKey } from './lecture-keys.ts';
import { conversationTurnUpgrades } from './schema-upgrades.ts';

/** What owners have asked, conversation by conversation. Each question is a file, written once. */
export interface ConversationStore {
  /** @returns the questions of a conversation, the oldest first; none where there is no such conversation of the owner */
  read(owner: string, id: string): Promise<ConversationTurn[]>;
  /** @returns the last one, or null */
  readLast(owner: string, id: string): Promise<ConversationTurn | null>;
  /** All conversations, those that were begun first first. */
  readAll(owner: string): Promise<Conversation[]>;
  /**
   * Adds a question; of too many of an owner, those of the conversations that were begun first go.
   * @throws AppError `internal` when too many others are added to the same conversation at the same moment
   */
  add(owner: string, id: string, turn: ConversationTurn): Promise<void>;
  /** Those that were begun last first, with how many questions each has, and the last; null where that is damaged. */
  list(owner: string, limit: number): Promise<{ id: string; questions: number; last: ConversationTurn | null }[]>;
  /** @returns whether there was one */
  delete(owner: string, id: string): Promise<boolean>;
}

/** Of one owner, in all conversations together: some 300 kB, and one folder that is quickly read. */
export const keptTurns = 400;
const tries = 10;

interface Place {
  key: string;
  id: string;
  turn: number;
}

export function createConversationStore(deps: { blobs: BlobStore }): ConversationStore {
  const { blobs } = deps;

  /** By conversation in the order in which they were begun, and then by turn. */
  const listPlaces = async (owner: string): Promise<Place[]> =>
    (await blobs.list(conversationsPrefix(owner))).flatMap((key) => {
      const found = parseConversationTurnKey(key);
      return found ? [{ key, ...found }] : [];
    });
  const listOf = async (owner: string, id: string) => (await listPlaces(owner)).filter((place) => place.id === id);

  /** @returns null for one that has gone meanwhile, or is damaged: the others can still be read */
  const readOne = async ({ key }: Place): Promise<ConversationTurn | null> => {
    const bytes = await blobs.read(key);
    if (!bytes) return null;
    try {
      const { schemaVersion: _, ...turn } = parseStored(
        key,
        bytes,
        storedConversationTurnSchema,
        conversationTurnUpgrades,
      );
      return turn;
    } catch (error) {
      if (toAppError(error).code === 'internal') return null;
      throw error;
    }
  };

  const readWhole = async (places: readonly Place[]): Promise<ConversationTurn[]> =>
    (await inBatches(places, readOne)).filter((turn) => turn !== null);
  const byConversation = (places: readonly Place[]): Map<string, Place[]> => {
    const conversations = new Map<string, Place[]>();
    for (const place of places) conversations.set(place.id, [...(conversations.get(place.id) ?? []), place]);
    return conversations;
  };

  return {
    read: async (owner, id) => readWhole(await listOf(owner, id)),
    async readAll(owner) {
      const found: Conversation[] = [];
      for (const [id, places] of byConversation(await listPlaces(owner))) {
        found.push({ id, turns: await readWhole(places) });
      }
      return found;
    },
    async readLast(owner, id) {
      const last = (await listOf(owner, id)).at(-1);
      return last ? readOne(last) : null;
    },
    async add(owner, id, turn) {
      const places = await listPlaces(owner);
      const bytes = toJsonBytes({ schemaVersion: 1, ...turn });
      let next = (places.filter((place) => place.id === id).at(-1)?.turn ?? 0) + 1;
      // Another question of the same conversation may be written at the same moment.
      for (let left = tries; !(await blobs.create(conversationTurnKey(owner, id, next), bytes)); next++) {
        if (--left === 0) throw new AppError('internal', 'Too many questions of one conversation at once.');
      }
      const others = places.filter((place) => place.id !== id);
      const own = places.filter((place) => place.id === id);
      for (const { key } of [...others, ...own].slice(0, Math.max(0, places.length + 1 - keptTurns))) {
        await blobs.delete(key);
      }
    },
    async list(owner, limit) {
      const newest = [...byConversation(await listPlaces(owner))].reverse().slice(0, limit);
      const last = await inBatches(newest, ([, places]) => readOne(places.at(-1) as Place));
      return newest.map(([id, places], i) => ({ id, questions: places.length, last: last[i] ?? null }));
    },
    async delete(owner, id) {
      const own = await listOf(owner, id);
      for (const { key } of own) await blobs.delete(key);
      return own.length > 0;
    },
  };
}
