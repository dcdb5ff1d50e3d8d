import type { Redis } from 'ioredis';
import type { Band, QueueName } from './job-catalogue.ts';
import type { Keys } from './keys.ts';

/**
 * Fair shares between owners by start-time fair queueing: P. Goyal, H. M. Vin and H. Cheng, "Start-time Fair Queueing:
 * A Scheduling Algorithm for Integrated Services Packet Switching Networks", SIGCOMM 1996. Each owner has a last finish
 * tag F. A job that costs c gets the start tag S = max(v, F), and F becomes S + c. The job with the smallest tag is
 * taken next. Owners who wait side by side are therefore served in equal shares, however much each of them has queued.
 *
 * The tag is the job's BullMQ priority, inside a band of its own for what comes first and for what comes later. The
 * virtual time v is the smallest tag that waits in the band, and never goes back. Where nothing waits there is nothing
 * to share: the band's tags are forgotten, and begin at 0 again. What was put off for a while waits too: it comes back
 * with the tag it has.
 *
 * All of it lies in Redis and nothing of it is needed for long: without it, everybody begins at the same point.
 */
export interface FairShares {
  /**
   * The priorities of an owner's jobs, in the order given; null for one that is in the queue already (in whatever
   * state), which costs nothing.
   */
  tag(queue: QueueName, owner: string, jobs: readonly TaggedJob[]): Promise<(number | null)[]>;
  /** Gives back what a job was charged that will never run. */
  giveBack(queue: QueueName, owner: string, jobs: readonly TaggedJob[]): Promise<void>;
}

export interface TaggedJob {
  jobId: string;
  band: Band;
  /** Seconds of sound that the job works through. */
  costSeconds: number;
}

/** One step of a tag, in seconds of sound: a window of the model, the least that is ever done. */
const unitSeconds = 30;
/** BullMQ takes priorities up to 2^21 − 1, and 0 means none. Half of them are one band. */
const defaultBandSize = 2 ** 20 - 1;
const stateTtlSeconds = 86_400;
/** How long a tag is remembered for a job that has not come into the queue: whoever adds it at the same time gets it. */
const tagTtlSeconds = 30;

/**
 * KEYS: prioritized, delayed, active (of BullMQ), finish tags of the band.
 * ARGV: BullMQ's key prefix of the queue, prefix of the remembered tags, first priority of the band, its size, owner,
 * expiry of the state, expiry of a tag, then job id and cost for each job.
 * Returns a priority for each job, or -1 where the job exists.
 *
 * A score of BullMQ's is priority * 2^32 + a counter. When the band's numbers are used up (after some 8,700 hours of
 * sound without a moment in which nothing waits), all tags are moved down by v, which changes no order.
 */
const tagScript = `
local prioritized, delayed, active, finish = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local jobs, tags = ARGV[1], ARGV[2]
local first, size, owner = tonumber(ARGV[3]), tonumber(ARGV[4]), 'o:' .. ARGV[5]
local shift = 4294967296
local function head()
  local found = redis.call('ZRANGEBYSCORE', prioritized, first * shift, '(' .. string.format('%.0f', (first + size) * shift),
    'WITHSCORES', 'LIMIT', 0, 1)
  return found[2] and math.floor(tonumber(found[2]) / shift) - first
end
local function moveDown(by)
  local waiting = redis.call('ZRANGEBYSCORE', prioritized, first * shift,
    '(' .. string.format('%.0f', (first + size) * shift), 'WITHSCORES')
  local moved = {}
  for i = 1, #waiting, 2 do
    local score = tonumber(waiting[i + 1])
    local tag = math.max(0, math.floor(score / shift) - first - by)
    redis.call('ZADD', prioritized, string.format('%.0f', (first + tag) * shift + score % shift), waiting[i])
    moved[#moved + 1] = waiting[i]
  end
  for _, id in ipairs(redis.call('ZRANGE', delayed, 0, -1)) do moved[#moved + 1] = id end
  for _, id in ipairs(redis.call('LRANGE', active, 0, -1)) do moved[#moved + 1] = id end
  for _, id in ipairs(moved) do
    local priority = tonumber(redis.call('HGET', jobs .. id, 'priority') or '0')
    if priority >= first and priority < first + size then
      redis.call('HSET', jobs .. id, 'priority', first + math.max(0, priority - first - by))
    end
  end
  local fields = redis.call('HGETALL', finish)
  for i = 1, #fields, 2 do
    redis.call('HSET', finish, fields[i], math.max(0, tonumber(fields[i + 1]) - by))
  end
end

local smallest = head()
if not smallest and redis.call('ZCARD', delayed) == 0 then redis.call('DEL', finish) end
local now = math.max(smallest or 0, tonumber(redis.call('HGET', finish, 'v') or '0'))
local last = tonumber(redis.call('HGET', finish, owner) or '0')
local result = {}
for i = 8, #ARGV, 2 do
  local id, cost = ARGV[i], tonumber(ARGV[i + 1])
  local known = redis.call('GET', tags .. id)
  if redis.call('EXISTS', jobs .. id) == 1 then
    result[#result + 1] = -1
  elseif known then
    result[#result + 1] = tonumber(known)
  else
    local tag = math.max(now, last)
    if tag >= size and now > 0 then
      moveDown(now)
      tag, now = tag - now, 0
    end
    last = tag + cost
    local priority = first + math.min(tag, size - 1)
    redis.call('SET', tags .. id, priority, 'EX', ARGV[7])
    result[#result + 1] = priority
  end
end
redis.call('HSET', finish, owner, last, 'v', now)
redis.call('EXPIRE', finish, ARGV[6])
return result
`;

/** KEYS: finish tags. ARGV: owner, units. A tag below the virtual time is as good as none. */
const giveBackScript = `
local last = redis.call('HGET', KEYS[1], 'o:' .. ARGV[1])
if last then redis.call('HSET', KEYS[1], 'o:' .. ARGV[1], math.max(0, tonumber(last) - tonumber(ARGV[2]))) end
return 0
`;

/**
 * @param deps.prefix that of the queues
 * @param deps.bandSize how many tags a band has; less than BullMQ allows only in tests
 */
export function createFairShares(deps: { redis: Redis; keys: Keys; prefix: string; bandSize?: number }): FairShares {
  const { redis, keys, prefix, bandSize = defaultBandSize } = deps;
  const bandsOf = (jobs: readonly TaggedJob[]): Band[] => [...new Set(jobs.map((job) => job.band))];

  return {
    async tag(queue, owner, jobs) {
      const key = (name: string) => `${prefix}:${queue}:${name}`;
      const byId = new Map<string, number>();
      await Promise.all(
        bandsOf(jobs).map(async (band) => {
          const inBand = jobs.filter((job) => job.band === band);
          const priorities = (await redis.eval(
            tagScript,
            4,
            key('prioritized'),
            key('delayed'),
            key('active'),
            keys.shares(queue, band),
            key(''),
            keys.tag(''),
            band === 'first' ? 1 : 1 + bandSize,
            bandSize,
            owner,
            stateTtlSeconds,
            tagTtlSeconds,
            ...inBand.flatMap((job) => [job.jobId, toUnits(job.costSeconds)]),
          )) as number[];
          inBand.forEach((job, i) => {
            byId.set(job.jobId, priorities[i] ?? -1);
          });
        }),
      );
      return jobs.map((job) => {
        const priority = byId.get(job.jobId) ?? -1;
        return priority < 0 ? null : priority;
      });
    },
    async giveBack(queue, owner, jobs) {
      await Promise.all(
        bandsOf(jobs).map((band) => {
          const inBand = jobs.filter((job) => job.band === band);
          const units = inBand.reduce((sum, job) => sum + toUnits(job.costSeconds), 0);
          return redis.eval(giveBackScript, 1, keys.shares(queue, band), owner, units);
        }),
      );
    },
  };
}

function toUnits(costSeconds: number): number {
  return Math.max(1, Math.round(costSeconds / unitSeconds));
}
