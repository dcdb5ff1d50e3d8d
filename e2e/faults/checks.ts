import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { stageNames } from '@studymate/contracts/stages';
import { listDescendants, listProcessesOf } from '../support/processes.ts';
import type { RunningSystem } from '../support/running-system.ts';
import type { FollowedLecture } from './followed-lecture.ts';
import type { Observer } from './observer.ts';

export interface Findings {
  lost: string[];
  doubled: string[];
  leaked: string[];
}

/** Names of files below a folder, relative to it; none where there is no such folder. */
export async function listFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(path.relative(dir, entry.parentPath), entry.name))
    .sort();
}

/** What a client and the store have of an ended lecture, against what they must have: all of it, and once. */
export async function checkLecture(
  system: RunningSystem,
  observer: Observer,
  followed: FollowedLecture,
): Promise<Findings> {
  const { id } = followed;
  const found: Findings = { lost: [], doubled: [...followed.mistakes], leaked: [] };

  const lecture = await system.client.getLecture(id);
  const notDone = lecture.stages.filter((stage) => stage.status !== 'done');
  if (lecture.status !== 'ready') found.lost.push(`lecture ${id} is ${lecture.status}`);
  for (const { name, status, error } of notDone) found.lost.push(`${name} is ${status} ${error?.code ?? ''}`);

  const transcript = await system.client.getTranscript(id);
  if (JSON.stringify(followed.segments) !== JSON.stringify(transcript.segments)) {
    found.lost.push(`${followed.segments.length} segments were told, the transcript has ${transcript.segments.length}`);
  }

  // Following has ended, so the end was told at least once.
  const told = (await observer.events(id)).flatMap((event) => {
    if (event.type === 'end') return ['end'];
    return event.type === 'segments' ? [`text of chunk ${event.chunk}, attempt ${event.attempt}`] : [];
  });
  for (const event of repeated(told)) found.doubled.push(`event ${event}`);

  const files = await listFiles(path.join(system.dataDir, 'lectures', id));
  const due = toExpectedFiles(files);
  for (const [pattern, count] of due) {
    const matching = files.filter((file) => pattern.test(file));
    if (matching.length < count) found.lost.push(`${count - matching.length} of ${pattern.source}`);
    if (matching.length > count) found.doubled.push(`${matching.join(' ')}`);
  }
  for (const file of files) {
    if (!file.startsWith('records/') && !due.some(([pattern]) => pattern.test(file))) found.leaked.push(file);
  }
  return found;
}

/** Which files an ended lecture has: pattern and count. There are as many texts as chunks were cut. */
export function toExpectedFiles(files: string[]): [RegExp, number][] {
  const cut = files.filter((file) => /^ingest\/1\/chunk-\d+\.json$/.test(file)).length;
  return [
    [/^ingest\/1\/chunk-\d+\.json$/, Math.max(1, cut)],
    [/^ingest\/1\/manifest\.json$/, 1],
    [/^transcribe\/1\/chunk-\d+\.json$/, Math.max(1, cut)],
    [/^assemble\/1\/transcript\.json$/, 1],
    [/^assemble\/1\/embeddings-[0-9a-f]{16}\.f32$/, 1],
    [/^chapters\/1\/(passages\.json|search-index\.bin)$/, 2],
    ...stageNames.slice(3).map((stage): [RegExp, number] => [new RegExp(`^${stage}/1/${stage}\\.json$`), 1]),
  ];
}

/** What stays behind in the system as a whole, once all its lectures have ended. */
export async function checkLeftovers(
  system: RunningSystem,
  observer: Observer,
  lectures: readonly FollowedLecture[],
): Promise<Findings> {
  const ids = new Set(lectures.map((lecture) => lecture.id));
  const temporary = (await listFiles(system.dataDir)).filter((file) => /^~?tmp\/|^clips\/|\.tmp/.test(file));
  return {
    lost: [],
    doubled: [],
    leaked: [
      ...temporary,
      ...(await listForgottenMedia(system.dataDir)),
      ...(await listOrphans(system)),
      ...(await listJobs(observer, ids)),
      ...(await observer.listActive())
        .filter((id) => ids.has(id))
        .map((id) => `${id} is on the list of the unfinished`),
    ],
  };
}

/** Media of no lecture: what an upload left that nobody has acknowledged. */
async function listForgottenMedia(dataDir: string): Promise<string[]> {
  const media = new Set((await listFiles(path.join(dataDir, 'media'))).map((name) => `media/${name}`));
  for (const id of await readdir(path.join(dataDir, 'lectures')).catch(() => [])) {
    const records = path.join(dataDir, 'lectures', id, 'records');
    const newest = (await listFiles(records)).at(-1);
    if (!newest) continue;
    const record = JSON.parse(await readFile(path.join(records, newest), 'utf8')) as { media?: { key: string } };
    if (record.media) media.delete(record.media.key);
  }
  return [...media];
}

/**
 * Processes on this data folder that no running API or worker has started, and children that have nothing to do any
 * more: a worker has one process a model family, two for the study algorithms, and no ffmpeg when nothing is decoded.
 */
async function listOrphans(system: RunningSystem): Promise<string[]> {
  const services = system.services().map((child) => child.pid);
  const children = await listDescendants(services);
  const known = new Set([...services, ...children.map((child) => child.pid)]);
  const orphans = (await listProcessesOf(system.dataDir)).filter((each) => !known.has(each.pid));
  const idle = children.filter((child) => !child.commandLine.some((part) => /(model|study)-process\.js$/.test(part)));
  return [...orphans, ...idle].map((each) => `process ${each.pid} ${each.commandLine.join(' ').slice(0, 120)}`);
}

/** Jobs of these lectures that are neither done nor gone. */
async function listJobs(observer: Observer, ids: ReadonlySet<string>): Promise<string[]> {
  const left = (await observer.listJobs(ids)).filter((job) => job.state !== 'completed');
  return left.map((job) => `job ${job.id} is ${job.state}`);
}

function repeated(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, i) => values.indexOf(value) !== i))];
}
