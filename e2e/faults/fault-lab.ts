import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { LectureStatus } from '@studymate/contracts/lecture';
import { type RunningSystem, startSystem } from '../support/running-system.ts';
import { checkLecture, checkLeftovers, type Findings, listFiles } from './checks.ts';
import { type FollowedLecture, followLecture } from './followed-lecture.ts';
import { createObserver, type Observer } from './observer.ts';
import { createRecordings } from './recordings.ts';
import type { Round, RoundOutcome, Scenario } from './scenario.ts';

export interface FaultLab {
  /**
   * One round of a scenario on a running system, and what it came to.
   * @throws Error when the scenario could not be carried out or a lecture never ended; the system is then given up
   */
  play(scenario: Scenario, index: number): Promise<RoundOutcome>;
  close(): Promise<void>;
}

/** From the fault to progress, and from there to the end of the lecture: far more than what is meant to be held. */
const recoveryTimeoutMs = 180_000;
const endTimeoutMs = 240_000;
/** Some things go a moment after the last event: locks run out, collectors look again. */
const settleTimeoutMs = 60_000;

/** One system that is hurt again and again; scenarios leave it whole. */
export function createFaultLab(options: { redisDownSeconds: number }): FaultLab {
  const recordings = createRecordings();
  let lab: { system: RunningSystem; observer: Observer } | null = null;
  /** By recording, whose sound is always the same: how it was cut. */
  const cuts = new Map<string, string>();

  const open = async () => {
    if (lab) return lab;
    const system = await startSystem({ LOG_LEVEL: 'debug' });
    lab = { system, observer: createObserver(system.redisUrl) };
    return lab;
  };
  const close = async () => {
    const closing = lab;
    lab = null;
    await closing?.observer.close();
    await closing?.system.close();
  };

  const play: FaultLab['play'] = async (scenario, index) => {
    const { system, observer } = await open();
    const lectures: FollowedLecture[] = [];
    const recordingOf = new Map<string, string>();
    const recoveries: Promise<number>[] = [];
    const follow = (id: string) => {
      const followed = followLecture(system.client, id);
      lectures.push(followed);
      return followed;
    };
    const round: Round = {
      system,
      observer,
      index,
      redisDownSeconds: options.redisDownSeconds,
      makeFile: recordings.make,
      follow,
      async upload(name) {
        const { id } = await system.client.uploadLecture(await recordings.make(name), { fresh: true });
        recordingOf.set(id, name);
        return follow(id);
      },
      struck: (...stricken) => round.repaired(performance.now(), ...stricken),
      async repaired(startMs, ...stricken) {
        for (const { id } of stricken) {
          const moment = await observer.now(id);
          // One that was done by then has nothing to recover from.
          if (isEnded((await system.client.getLecture(id)).status)) continue;
          const recovery = observer
            .untilProgressAfter(id, moment, recoveryTimeoutMs)
            .then(() => (performance.now() - startMs) / 1000);
          // Awaited below, after the scenario has repaired what it broke.
          recovery.catch(() => {});
          recoveries.push(recovery);
        }
      },
      recovered: (seconds) => recoveries.push(Promise.resolve(seconds)),
    };
    // What an earlier round left is not this one's fault.
    const before = new Set((await checkLeftovers(system, observer, [])).leaked);
    try {
      await scenario.run(round);
      const seconds = await Promise.all(recoveries);
      for (const lecture of lectures) await lecture.untilEnd(endTimeoutMs);
      const check = async (): Promise<Findings> => {
        const found = await checkLeftovers(system, observer, lectures);
        const leaked = found.leaked.filter((leftover) => !before.has(leftover));
        const parts = [{ ...found, leaked }];
        for (const lecture of lectures) {
          parts.push(await checkLecture(system, observer, lecture));
          const recording = recordingOf.get(lecture.id);
          if (recording) parts.push(await checkCut(cuts, system.dataDir, recording, lecture.id));
        }
        return {
          lost: parts.flatMap((each) => each.lost),
          doubled: parts.flatMap((each) => each.doubled),
          leaked: parts.flatMap((each) => each.leaked),
        };
      };
      return { recoverySeconds: seconds.length === 0 ? null : Math.max(...seconds), ...(await settled(check)) };
    } catch (error) {
      const standing = await Promise.all(lectures.map((lecture) => describe(system, observer, lecture.id)));
      // The last ones: those before belong to earlier rounds.
      const warnings = (await readWarnings(system).catch(() => '')).slice(-6_000);
      await Promise.all(lectures.map((lecture) => lecture.close()));
      await close();
      const what = error instanceof Error ? error.message : error;
      throw new Error([`${scenario.name}: ${what}`, ...standing, warnings].join('\n'), { cause: error });
    } finally {
      await Promise.all(lectures.map((lecture) => lecture.close()));
    }
  };
  return { play, close };
}

/** Where a lecture stands, for the message about a round that never came to its end. */
async function describe(system: RunningSystem, observer: Observer, id: string): Promise<string> {
  try {
    const { status, stages } = await system.client.getLecture(id);
    const jobs = (await observer.listJobs([id])).map((job) => `${job.id} ${job.state} ${job.tries}/${job.stalls}`);
    return `${id} ${status}: ${stages.map((stage) => `${stage.name} ${stage.status}`).join(', ')}; ${jobs.join(', ')}`;
  } catch (error) {
    return `${id}: ${error}`;
  }
}

async function readWarnings(system: RunningSystem): Promise<string> {
  const lines = (await system.readWorkerLogs()).split('\n');
  return lines
    .filter((line) => line !== '' && !/^\{"level":"(debug|info)"/.test(line))
    .map((line) => line.slice(0, 400))
    .join('\n');
}

/** Checks until nothing is wrong, or has been for too long. */
async function settled(check: () => Promise<Findings>): Promise<Findings> {
  const deadlineMs = performance.now() + settleTimeoutMs;
  for (;;) {
    const found = await check();
    const isFine = [found.lost, found.doubled, found.leaked].every((each) => each.length === 0);
    if (isFine || performance.now() > deadlineMs) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function isEnded(status: LectureStatus): boolean {
  return status !== 'queued' && status !== 'running';
}

/** The chunks of a recording are cut alike each time: what a second run cuts must fit what the first has stored. */
async function checkCut(cuts: Map<string, string>, dataDir: string, recording: string, id: string): Promise<Findings> {
  const folder = path.join(dataDir, 'lectures', id, 'ingest', '1');
  const chunks = (await listFiles(folder)).filter((name) => /^chunk-\d+\.json$/.test(name));
  const cut = (await Promise.all(chunks.map((name) => readFile(path.join(folder, name), 'utf8')))).join('\n');
  const known = cuts.get(recording) ?? cut;
  cuts.set(recording, known);
  return { lost: known === cut ? [] : [`${recording} was cut in another way: ${cut}`], doubled: [], leaked: [] };
}
