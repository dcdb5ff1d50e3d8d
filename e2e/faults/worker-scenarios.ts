import { type StageName, stageNames } from '@studymate/contracts/stages';
import type { Child, RunningSystem } from '../support/running-system.ts';
import { until } from '../support/until.ts';
import type { FollowedLecture } from './followed-lecture.ts';
import type { Round, Scenario } from './scenario.ts';
import { untilStored } from './strike.ts';

type Moment = (round: Round, lecture: FollowedLecture) => Promise<void>;

/** Two moments in each stage: as its run begins, and when its first result is stored but perhaps not yet recorded. */
const moments: Record<StageName, [Moment, Moment]> = {
  ingest: [atBegin('ingest', 'ingest/1/chunk-0000.json'), atFile('ingest/1/chunk-0000.json')],
  transcribe: [(_round, lecture) => lecture.untilText(), atFile('transcribe/1/chunk-0001.json')],
  assemble: [atBegin('assemble', 'assemble/1/transcript.json'), atFile('assemble/1/transcript.json')],
  chapters: [atBegin('chapters', 'chapters/1/chapters.json'), atFile('chapters/1/chapters.json')],
  topics: [atBegin('topics', 'topics/1/topics.json'), atFile('topics/1/topics.json')],
  summary: [atBegin('summary', 'summary/1/summary.json'), atFile('summary/1/summary.json')],
  flashcards: [atBegin('flashcards', 'flashcards/1/flashcards.json'), atFile('flashcards/1/flashcards.json')],
};

/** The mark of a run goes at the end of its lecture; who comes too late for it finds the result, and strikes then. */
function atBegin(stage: StageName, result: string): Moment {
  return (round, lecture) => untilStored(round.system, lecture.id, `runs/${stage}/1/0-1`, result);
}

function atFile(name: string): Moment {
  return (round, lecture) => untilStored(round.system, lecture.id, name);
}

/** The worker alone is killed: its children must find out by themselves. */
async function killWorker({ system }: Round): Promise<void> {
  system.worker().signal('SIGKILL');
  await system.worker().exited;
}

const killedInStage = stageNames.map(
  (stage, i): Scenario => ({
    name: `worker-killed-in-${stage}`,
    fault: `kill -9 of the worker in ${stage}, started again`,
    // The four study stages run side by side: two of them will do for a test.
    isBenchmarkOnly: stage === 'topics' || stage === 'summary',
    async run(round) {
      const lecture = await round.upload(stage === 'ingest' || stage === 'transcribe' ? 'long' : 'short');
      // The first rounds of the stages already have both kinds of moments.
      const [early, late] = moments[stage];
      await ((round.index + i) % 2 === 0 ? early : late)(round, lecture);
      await killWorker(round);
      await round.struck(lecture);
      await round.system.startWorker();
    },
  }),
);

const oneOfTwoKilled: Scenario = {
  name: 'one-of-two-workers-killed',
  fault: 'kill -9 of one of two busy workers, started again when the other has done the work',
  async run(round) {
    const { system } = round;
    const extra = await system.startExtraWorker();
    const lectures = await Promise.all([round.upload('long'), round.upload('long')]);
    await Promise.all(lectures.map((lecture) => lecture.untilText()));
    extra.signal('SIGKILL');
    await extra.exited;
    await round.struck(...lectures);
    for (const lecture of lectures) await lecture.untilEnd(240_000);
    // What it was writing goes at the start of the next process.
    await stopCleanly(await system.startExtraWorker());
  },
};

const stoppedPastItsLock: Scenario = {
  name: 'worker-stopped-past-its-lock',
  fault: 'SIGSTOP of the worker until another has taken its work, then SIGCONT',
  async run(round) {
    const { system } = round;
    const zombie = system.worker();
    const lecture = await round.upload('long');
    // A chunk of a minute and a half has just begun, and its words will be there when the worker wakes.
    await untilStored(system, lecture.id, 'runs/transcribe/1/1-1');
    zombie.signal('SIGSTOP');
    await round.struck(lecture);
    const successor = await system.startExtraWorker();
    // It wakes while the other is at the same work, or after that is over and the lecture has ended.
    if (round.index % 2 === 0) await lecture.untilEnd(240_000);
    else await untilStored(system, lecture.id, 'runs/transcribe/1/1-2');
    zombie.signal('SIGCONT');
    await untilGivenUp(system, lecture.id, zombie);
    await lecture.untilEnd(240_000);
    await stopCleanly(successor);
    // The one that was taken for dead is as good as before.
    await system.client.topics({ documents: ['Printing spread quickly.', 'Ink was made of soot.'] });
  },
};

/** Waits until the worker has logged that it lost its run: refused by the store, or told by the queue before. */
async function untilGivenUp(system: RunningSystem, lectureId: string, worker: Child): Promise<void> {
  const saysSo = (line: string) =>
    line.includes(`"pid":${worker.pid},`) &&
    line.includes(lectureId) &&
    /late run refused|"code":"cancelled"/.test(line);
  await until(`an overtaken run of lecture ${lectureId}`, async () =>
    (await system.readWorkerLogs()).split('\n').some(saysSo),
  );
}

const toldToStop: Scenario = {
  name: 'worker-told-to-stop',
  fault: 'SIGTERM of a busy worker, started again',
  async run(round) {
    const { system } = round;
    const lecture = await round.upload('long');
    await lecture.untilText();
    const stopping = system.worker();
    const startMs = performance.now();
    await stopCleanly(stopping);
    await round.repaired(startMs, lecture);
    await system.startWorker();
    await lecture.untilEnd(240_000);
    const tries = (await round.observer.listJobs([lecture.id])).filter((job) => job.tries > 1 || job.stalls > 0);
    if (tries.length > 0) throw new Error(`handing back cost a try: ${JSON.stringify(tries)}`);
  },
};

async function stopCleanly(child: Child): Promise<void> {
  child.signal('SIGTERM');
  const how = await child.exited;
  if (how !== 'exit status 0') throw new Error(`${child.name} was told to stop and ended with ${how}`);
}

export const workerScenarios: readonly Scenario[] = [...killedInStage, oneOfTwoKilled, stoppedPastItsLock, toldToStop];
