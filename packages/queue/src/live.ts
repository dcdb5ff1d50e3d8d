import type { StageName } from '@studymate/contracts/stages';
import { stageNames } from '@studymate/contracts/stages';
import type { Redis } from 'ioredis';
import { type Keys, liveTtlSeconds } from './keys.ts';
import type { LiveStage, LiveState } from './lecture-view.ts';

/**
 * What is going on in a lecture right now: one Redis hash a lecture. Fields: `stage:<name>:<attempt>` with a
 * LiveStage as JSON, and `covered:<attempt>:<chunk>` with the seconds of the recording that a chunk has behind
 * it (one field a chunk, so that a chunk that is done again is not counted twice).
 */
export interface LiveStore {
  /** Progress never falls, a start never moves forward and cold stays cold, whichever of several runs tells last. */
  setStage(lectureId: string, stage: StageName, attempt: number, live: LiveStage): Promise<void>;
  /** What a chunk has covered never falls. @returns the seconds covered by all chunks of the attempt */
  setCovered(lectureId: string, attempt: number, chunk: number, seconds: number): Promise<number>;
  /** @param attempts the attempt that counts, by stage; 1 where nothing stands */
  read(lectureId: string, attempts: Partial<Record<StageName, number>>): Promise<LiveState>;
  delete(lectureId: string): Promise<void>;
}

/** KEYS: live hash. ARGV: field, a LiveStage as JSON, expiry in seconds. */
const setStageScript = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
local stage = cjson.decode(ARGV[2])
if known then
  known = cjson.decode(known)
  if known.progress > stage.progress then stage.progress = known.progress end
  if known.startedAt < stage.startedAt then stage.startedAt = known.startedAt end
  if known.cold == true then stage.cold = true end
end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(stage))
redis.call('EXPIRE', KEYS[1], ARGV[3])
`;

/**
 * KEYS: live hash. ARGV: prefix of the chunks' fields, chunk, seconds, expiry in seconds. Returns the sum as text: numbers
 * lose fractions. It expires also where the lecture was deleted meanwhile and nobody tells anything after this.
 */
const setCoveredScript = `
local known = tonumber(redis.call('HGET', KEYS[1], ARGV[1] .. ARGV[2]) or '0')
if tonumber(ARGV[3]) > known then redis.call('HSET', KEYS[1], ARGV[1] .. ARGV[2], ARGV[3]) end
redis.call('EXPIRE', KEYS[1], ARGV[4])
local fields = redis.call('HGETALL', KEYS[1])
local sum = 0
for i = 1, #fields, 2 do
  if string.sub(fields[i], 1, #ARGV[1]) == ARGV[1] then sum = sum + tonumber(fields[i + 1]) end
end
return string.format('%.3f', sum)
`;

export function createLiveStore(deps: { redis: Redis; keys: Keys }): LiveStore {
  const { redis, keys } = deps;
  return {
    async setStage(lectureId, stage, attempt, live) {
      const field = `stage:${stage}:${attempt}`;
      await redis.eval(setStageScript, 1, keys.live(lectureId), field, JSON.stringify(live), liveTtlSeconds);
    },
    async setCovered(lectureId, attempt, chunk, seconds) {
      const key = keys.live(lectureId);
      const prefix = `covered:${attempt}:`;
      return Number(await redis.eval(setCoveredScript, 1, key, prefix, chunk, seconds, liveTtlSeconds));
    },
    async read(lectureId, attempts) {
      const fields = stageNames.map((stage) => `stage:${stage}:${attempts[stage] ?? 1}`);
      const values = await redis.hmget(keys.live(lectureId), ...fields);
      const state: LiveState = { stages: {} };
      stageNames.forEach((stage, i) => {
        const text = values[i];
        if (text) state.stages[stage] = JSON.parse(text) as LiveStage;
      });
      return state;
    },
    async delete(lectureId) {
      await redis.del(keys.live(lectureId), keys.events(lectureId));
    },
  };
}
