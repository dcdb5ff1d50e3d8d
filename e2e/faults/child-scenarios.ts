import path from 'node:path';
import { until } from '../support/until.ts';
import { listFiles } from './checks.ts';
import type { FollowedLecture } from './followed-lecture.ts';
import type { Round, Scenario } from './scenario.ts';
import { type ChildKind, endChildren, findChildren, signal, untilChild, untilStored } from './strike.ts';

/** Strikes every child of the kind that there is; one that works at the lecture is among them. @returns their ids */
async function strike(round: Round, kind: ChildKind, name: NodeJS.Signals): Promise<number[]> {
  const pids = await findChildren(round.system, kind);
  if (!pids.map((pid) => signal(pid, name)).includes(true)) throw new Error(`there is no ${kind} process to strike`);
  return pids;
}

/** Strikes the speech model in a chunk. What the stricken run still tells is no recovery: a new process must be there. */
async function strikeSpeech(round: Round, name: NodeJS.Signals): Promise<void> {
  const lecture = await round.upload('long');
  await untilStored(round.system, lecture.id, 'runs/transcribe/1/1-1');
  const struck = await strike(round, 'speech', name);
  const startMs = performance.now();
  await until('a new speech process', async () =>
    (await findChildren(round.system, 'speech')).some((pid) => !struck.includes(pid)),
  );
  await round.repaired(startMs, lecture);
}

const speechKilled: Scenario = {
  name: 'speech-process-killed',
  fault: 'kill -9 of the speech model in mid-chunk',
  run: (round) => strikeSpeech(round, 'SIGKILL'),
};

const speechStopped: Scenario = {
  name: 'speech-process-stopped',
  fault: 'SIGSTOP of the speech model in mid-chunk, for good',
  run: (round) => strikeSpeech(round, 'SIGSTOP'),
};

const textKilled: Scenario = {
  name: 'text-process-killed',
  fault: 'kill -9 of the text model, while it loads or with work before it',
  async run(round) {
    const { system } = round;
    const loads = round.index % 2 === 0;
    await endChildren(system, 'text');
    if (!loads) {
      // Stopped while it is idle, it takes the lecture's sentences and does nothing with them.
      await system.client.topics({ documents: ['Printing spread quickly.', 'Ink was made of soot.'] });
    }
    const lecture = await round.upload('short');
    await untilStored(system, lecture.id, 'ingest/1/manifest.json');
    if (!loads) await strike(round, 'text', 'SIGSTOP');
    await lecture.untilRunning('chapters');
    const pid = await untilChild(system, 'text');
    signal(pid, 'SIGKILL');
    await round.struck(lecture);
  },
};

const studyKilled: Scenario = {
  name: 'study-process-killed',
  fault: 'kill -9 of the study process with all study stages before it',
  async run(round) {
    const { system } = round;
    await endChildren(system, 'study');
    const lecture = await round.upload('short');
    await lecture.untilRunning('chapters');
    signal(await untilChild(system, 'study'), 'SIGKILL');
    await round.struck(lecture);
  },
};

/** The ffmpeg that decodes the lecture, or that there will be none any more. */
async function untilDecoding({ system }: Round, { id }: FollowedLecture): Promise<number | 'over'> {
  return until('ffmpeg', async () => {
    const isOver = (await listFiles(path.join(system.dataDir, 'lectures', id, 'ingest', '1'))).includes(
      'manifest.json',
    );
    return (await findChildren(system, 'ffmpeg')).at(0) ?? (isOver && 'over');
  });
}

const ffmpegKilled: Scenario = {
  name: 'ffmpeg-killed',
  fault: 'kill -9 of ffmpeg in mid-decode',
  async run(round) {
    for (;;) {
      const lecture = await round.upload('long');
      const pid = await untilDecoding(round, lecture);
      // Decoded before we could look: another one.
      if (pid === 'over' || !signal(pid, 'SIGKILL')) continue;
      await until('the end of ffmpeg', async () => !(await findChildren(round.system, 'ffmpeg')).includes(pid));
      await round.struck(lecture);
      return;
    }
  },
};

/** The children of a worker: what runs models, algorithms and decoders. */
export const childScenarios: readonly Scenario[] = [speechKilled, speechStopped, textKilled, studyKilled, ffmpegKilled];
