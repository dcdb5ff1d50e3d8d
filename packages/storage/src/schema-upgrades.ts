import {
  chaptersArtifactSchema,
  chunkSchema,
  courseTopicsArtifactSchema,
  flashcardsArtifactSchema,
  ingestManifestSchema,
  passagesArtifactSchema,
  summaryArtifactSchema,
  topicsArtifactSchema,
  transcribedChunkSchema,
  transcriptArtifactSchema,
} from '@studymate/contracts/artifacts';
import type { ArtifactSchema } from './artifacts.ts';

/**
 * Makes a value of the next schema version: all it needs is in the value, and it changes no other. It need not set
 * `schemaVersion`.
 */
export type Upgrade = (value: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/** The first entry leads from schema version 1 to 2, the next from 2 to 3; today's version is one more than there are. */
export type Upgrades = readonly Upgrade[];

/**
 * What is stored stays as it was written, for ever; reading brings it to today's form. Whoever gives a schema of
 * contracts a new version adds the step to it here, and a sample of it to test/fixtures/schemas, where each version
 * that was ever written has one.
 */
export const recordUpgrades: Upgrades = [];
export const courseUpgrades: Upgrades = [];
export const conversationTurnUpgrades: Upgrades = [];
export const reviewsUpgrades: Upgrades = [];
export const transcriptEditUpgrades: Upgrades = [];

export const artifactUpgrades: ReadonlyMap<ArtifactSchema<unknown>, Upgrades> = new Map<
  ArtifactSchema<unknown>,
  Upgrades
>([
  [chunkSchema, []],
  [ingestManifestSchema, []],
  [transcribedChunkSchema, []],
  [transcriptArtifactSchema, []],
  [chaptersArtifactSchema, []],
  [topicsArtifactSchema, []],
  [summaryArtifactSchema, []],
  [flashcardsArtifactSchema, []],
  [passagesArtifactSchema, []],
  [courseTopicsArtifactSchema, []],
]);

export type UpgradedValue =
  | { kind: 'current'; value: unknown }
  | { kind: 'newer'; version: number; known: number }
  | { kind: 'damaged'; why: string };

/** A stored value of any known version in the form of the last one. It is not yet checked by that one's schema. */
export function upgradeStored(value: unknown, upgrades: Upgrades): UpgradedValue {
  if (typeof value !== 'object' || value === null || !('schemaVersion' in value)) {
    return { kind: 'damaged', why: 'it has no schema version' };
  }
  const version = value.schemaVersion;
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) {
    return { kind: 'damaged', why: 'its schema version is none' };
  }
  const known = upgrades.length + 1;
  if (version > known) return { kind: 'newer', version, known };
  let current: Record<string, unknown> = { ...value };
  try {
    for (const [i, upgrade] of upgrades.slice(version - 1).entries()) {
      current = { ...upgrade(current), schemaVersion: version + i + 1 };
    }
  } catch (thrown) {
    return { kind: 'damaged', why: `it cannot be upgraded from schema version ${version}: ${String(thrown)}` };
  }
  return { kind: 'current', value: current };
}
