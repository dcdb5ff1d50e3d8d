import { AppError } from '@studymate/contracts/errors';
import { mergeReviews } from '@studymate/contracts/merge-reviews';
import {
  type CardReview,
  maxReviewsOfLecture,
  type StoredReviews,
  storedReviewsSchema,
} from '@studymate/contracts/reviews';
import { parseStored, toJsonBytes } from './artifacts.ts';
import type { BlobStore } from './blob-store.ts';
import { deletionVersion, recordKey, reviewsKey, reviewsPrefix } from './lecture-keys.ts';
import { reviewsUpgrades } from './schema-upgrades.ts';

/** What people have answered to a lecture's flashcards; it lies with the lecture and goes with it. */
export interface ReviewStore {
  /** In the order of time. */
  read(lectureId: string, person: string): Promise<CardReview[]>;
  /**
   * Adds reviews; those that are there already change nothing.
   * @returns all of them. Throws `limit_reached` beyond `maxReviewsOfLecture`, `not_found` when the lecture was deleted
   */
  add(lectureId: string, person: string, reviews: readonly CardReview[]): Promise<CardReview[]>;
  /** Forgets them all; what another request adds at the same time is there before it or after it, never half. */
  clear(lectureId: string, person: string): Promise<void>;
}

const maxTries = 100;

/** Numbered versions made by exclusive create, of which the newest counts and older ones are removed. */
export function createReviewStore(deps: { blobs: BlobStore }): ReviewStore {
  const { blobs } = deps;

  const listVersions = async (lectureId: string, person: string): Promise<number[]> => {
    const keys = await blobs.list(reviewsPrefix(lectureId, person));
    return keys.map((key) => Number(/(\d{8})\.json$/.exec(key)?.[1])).filter((version) => version > 0);
  };

  const readNewest = async (lectureId: string, person: string) => {
    for (let tries = 1; tries <= maxTries; tries++) {
      const versions = await listVersions(lectureId, person);
      const version = versions.at(-1);
      if (version === undefined) return { version: 0, older: [], reviews: [] };
      const key = reviewsKey(lectureId, person, version);
      const bytes = await blobs.read(key);
      // Gone between listing and reading: there is a newer one, or none.
      if (!bytes) continue;
      const { reviews } = parseStored(key, bytes, storedReviewsSchema, reviewsUpgrades);
      return { version, older: versions.slice(0, -1), reviews };
    }
    throw new AppError('storage_unavailable', 'The reviews could not be read: they are listed, and are not there.');
  };
  const removeVersions = async (lectureId: string, person: string, versions: readonly number[]) => {
    for (const version of versions) await blobs.delete(reviewsKey(lectureId, person, version));
  };

  /** Writes what follows the newest version. @returns false when another was quicker, and all is to be read again */
  const follow = async (
    lectureId: string,
    person: string,
    newest: { version: number; older: readonly number[] },
    reviews: CardReview[],
  ): Promise<boolean> => {
    const stored: StoredReviews = { schemaVersion: 1, reviews };
    const version = newest.version + 1;
    const key = reviewsKey(lectureId, person, version);
    if (!(await blobs.create(key, toJsonBytes(stored)))) return false;
    // A slow writer may have been given a number that was used and removed already: its version would be read by nobody.
    if ((await listVersions(lectureId, person)).at(-1) !== version) {
      await blobs.delete(key);
      return false;
    }
    await removeVersions(lectureId, person, [...newest.older, newest.version]);
    if ((await blobs.stat(recordKey(lectureId, deletionVersion))) === null) return true;
    // Deleted meanwhile: nothing of it may stay.
    await blobs.delete(key);
    throw new AppError('not_found', 'There is no such lecture.');
  };
  const tooManyWriters = () =>
    new AppError('storage_unavailable', 'The reviews could not be written: too many writers at once.');

  return {
    read: async (lectureId, person) => (await readNewest(lectureId, person)).reviews,
    async add(lectureId, person, added) {
      for (let tries = 1; tries <= maxTries; tries++) {
        const newest = await readNewest(lectureId, person);
        const merged = mergeReviews(newest.reviews, added);
        if (merged.length === newest.reviews.length) return newest.reviews;
        if (merged.length > maxReviewsOfLecture) {
          throw new AppError('limit_reached', `A lecture may have ${maxReviewsOfLecture} reviews of a person.`);
        }
        if (await follow(lectureId, person, newest, merged)) return merged;
      }
      throw tooManyWriters();
    },
    async clear(lectureId, person) {
      // An empty version: without one, whoever has just read the last would bring everything back.
      for (let tries = 1; tries <= maxTries; tries++) {
        const newest = await readNewest(lectureId, person);
        if (newest.reviews.length === 0 || (await follow(lectureId, person, newest, []))) return;
      }
      throw tooManyWriters();
    },
  };
}
