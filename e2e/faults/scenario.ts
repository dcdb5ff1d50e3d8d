import type { RunningSystem } from '../support/running-system.ts';
import type { FollowedLecture } from './followed-lecture.ts';
import type { Observer } from './observer.ts';
import type { RecordingName } from './recordings.ts';

/** One way to hurt a running system, and what must come of it. */
export interface Scenario {
  /** Short and stable: the name in the tests, in the benchmark's arguments and in its table. */
  name: string;
  /** What is done, for the table. */
  fault: string;
  /** Left out of `npm test`, where another one is much like it. */
  isBenchmarkOnly?: boolean;
  /**
   * Starts work, waits for the moment, strikes, and repairs (starts again what an operator's supervisor would start).
   * Whether everything came to a good end is checked afterwards, for every lecture that was uploaded.
   */
  run(round: Round): Promise<void>;
}

/** What a scenario has to work with. */
export interface Round {
  system: RunningSystem;
  observer: Observer;
  /** 0 for the first round: scenarios with several good moments take turns. */
  index: number;
  /** How long Redis stays away. */
  redisDownSeconds: number;
  /** Uploads a recording, whose bytes no other upload has, and follows the lecture from its beginning. */
  upload(recording: RecordingName): Promise<FollowedLecture>;
  /** Bytes of an upload that differ from those of every other upload. */
  makeFile(recording: RecordingName): Promise<File>;
  /** Follows a lecture that was uploaded in another way. */
  follow(lectureId: string): FollowedLecture;
  /** The recovery counts from now: until the lecture's next progress event (of several lectures, the last one's). */
  struck(...lectures: FollowedLecture[]): Promise<void>;
  /** As `struck`, counted from an earlier moment: for what may still be told by the one that was struck. */
  repaired(sinceMs: number, ...lectures: FollowedLecture[]): Promise<void>;
  /** As `struck`, where the way of measuring it is the scenario's own. */
  recovered(seconds: number): void;
}

/** What one round has come to. Recovery is null where nothing was interrupted. */
export interface RoundOutcome {
  recoverySeconds: number | null;
  /** Lectures, texts, artifacts that should be there and are not. */
  lost: string[];
  /** What is there or was told twice. */
  doubled: string[];
  /** Files, processes and jobs that stayed behind. */
  leaked: string[];
}
