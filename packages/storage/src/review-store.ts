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
  /** Forgets them all; what another request adds at the same time may stay. */
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
    for (;;) {
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
  };
  const removeVersions = async (lectureId: string, person: string, versions: readonly number[]) => {
    for (const version of versions) await blobs.delete(reviewsKey(lectureId, person, version));
  };

  return {
    read: async (lectureId, person) => (await readNewest(lectureId, person)).reviews,
    async add(lectureId, person, added) {
      for (let tries = 1; tries <= maxTries; tries++) {
        const { version, older, reviews } = await readNewest(lectureId, person);
        const merged = mergeReviews(reviews, added);
        if (merged.length === reviews.length) return reviews;
        if (merged.length > maxReviewsOfLecture) {
          throw new AppError('limit_reached', `A lecture may have ${maxReviewsOfLecture} reviews of a person.`);
        }
        const stored: StoredReviews = { schemaVersion: 1, reviews: merged };
        const key = reviewsKey(lectureId, person, version + 1);
        if (!(await blobs.create(key, toJsonBytes(stored)))) continue;
        // A slow writer may have been given a number that was used and removed already: its version would be read by nobody.
        if ((await listVersions(lectureId, person)).at(-1) !== version + 1) {
          await blobs.delete(key);
          continue;
        }
        await removeVersions(lectureId, person, [...older, version]);
        if ((await blobs.stat(recordKey(lectureId, deletionVersion))) === null) return merged;
        // Deleted meanwhile: nothing of it may stay.
        await blobs.delete(key);
        throw new AppError('not_found', 'There is no such lecture.');
      }
      throw new AppError('storage_unavailable', 'The reviews could not be written: too many writers at once.');
    },
    async clear(lectureId, person) {
      await removeVersions(lectureId, person, await listVersions(lectureId, person));
    },
  };
}
