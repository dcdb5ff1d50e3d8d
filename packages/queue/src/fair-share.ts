import type { Redis } from 'ioredis';
import type { QueueName } from './job-catalogue.ts';
import type { Keys } from './keys.ts';

/**
 * Fair shares between owners by start-time fair queueing: P. Goyal, H. M. Vin and H. Cheng, "Start-time Fair Queueing:
 * A Scheduling Algorithm for Integrated Services Packet Switching Networks", SIGCOMM 1996. Each owner has a last finish
 * tag F. A job that costs c gets the start tag S = max(v, F), and F becomes S + c. The job with the smallest tag is
 * taken next. Owners who wait side by side are therefore served in equal shares, however much each of them has queued.
 *
 * Somebody waits for the words of a first chunk. Such a job does not stand behind what its owner has queued: it has a
 * line of its own with a finish tag D, S = max(v, D), and D becomes S + c, or S + 4c while other owners have work too.
 * Its cost goes to F as well, so what an owner is given early he is not given later. By the distances in its two lines
 * an owner gets at most 5/4 of a share in any stretch of time, and one share in the long run, whatever he queues and
 * when: of n owners, one who always has work gets at least 1/(1 + 5/4 (n - 1)) of the service, less one job of each.
 *
 * The tag is the job's BullMQ priority, at equal tags with first chunks before others. The virtual time v is the smallest
 * tag that waits, and never goes back. Where nothing waits there is nothing to share: the tags are forgotten, and begin at
 * 0 again. What was put off for a while waits too: it comes back with the tag it has.
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
  /** Whether it does not wait for what its owner has queued before. */
  comesFirst: boolean;
  /** Seconds of sound that the job works through. */
  costSeconds: number;
}

/** One step of a tag, in seconds of sound: a window of the model, the least that is ever done. */
const unitSeconds = 30;
/** BullMQ takes priorities up to 2^21 − 1, and 0 means none. Each tag has two, for first chunks and for others. */
const defaultTagCount = 2 ** 20 - 1;
/** A later chunk has four windows: one first chunk for each later one, and first chunks add a quarter to a share. */
const firstSpacing = 4;
const stateTtlSeconds = 86_400;
/** How long a tag is remembered for a job that has not come into the queue: whoever adds it at the same time gets it. */
const tagTtlSeconds = 30;

/**
 * KEYS: prioritized, delayed, active (of BullMQ), finish tags of owners and v, finish tags of their first chunks.
 * ARGV: BullMQ's key prefix of the queue, prefix of the remembered tags, number of tags, owner, distance of first chunks,
 * expiry of the state, expiry of a tag, then job id, cost, and 0 for a first chunk or 1, for each job.
 * Returns a priority for each job, or -1 where the job exists.
 *
 * A score of BullMQ's is priority * 2^32 + a counter; a priority is 1 + 2 * tag, and one more for what is no first chunk.
 * When the tags are used up (after some 8,700 hours of sound without a moment in which nothing waits), all are moved down
 * by v, which changes no order. Finish tags below v are as good as none, and dropped.
 */
const tagScript = `
local prioritized, delayed, active, finish, firsts = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local jobs, tags = ARGV[1], ARGV[2]
local size, owner, spacing = tonumber(ARGV[3]), 'o:' .. ARGV[4], tonumber(ARGV[5])
local shift = 4294967296
local function tagOf(priority) return math.floor((priority - 1) / 2) end
local function lower(priority, by) return priority - 2 * math.min(by, tagOf(priority)) end
local function moveDown(by)
  local waiting = redis.call('ZRANGE', prioritized, 0, -1, 'WITHSCORES')
  local moved = {}
  for i = 1, #waiting, 2 do
    local score = tonumber(waiting[i + 1])
    local priority = lower(math.floor(score / shift), by)
    redis.call('ZADD', prioritized, string.format('%.0f', priority * shift + score % shift), waiting[i])
    moved[#moved + 1] = waiting[i]
  end
  for _, id in ipairs(redis.call('ZRANGE', delayed, 0, -1)) do moved[#moved + 1] = id end
  for _, id in ipairs(redis.call('LRANGE', active, 0, -1)) do moved[#moved + 1] = id end
  for _, id in ipairs(moved) do
    local priority = tonumber(redis.call('HGET', jobs .. id, 'priority') or '0')
    if priority > 0 then redis.call('HSET', jobs .. id, 'priority', lower(priority, by)) end
  end
  for _, key in ipairs({ finish, firsts }) do
    local known = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for i = 1, #known, 2 do redis.call('ZADD', key, math.max(0, tonumber(known[i + 1]) - by), known[i]) end
  end
end

local head = redis.call('ZRANGE', prioritized, 0, 0, 'WITHSCORES')
if not head[2] and redis.call('ZCARD', delayed) == 0 then redis.call('DEL', finish, firsts) end
local smallest = head[2] and tagOf(math.floor(tonumber(head[2]) / shift)) or 0
local now = math.max(smallest, tonumber(redis.call('ZSCORE', finish, 'v') or '0'))
redis.call('ZREMRANGEBYSCORE', finish, '-inf', '(' .. now)
redis.call('ZREMRANGEBYSCORE', firsts, '-inf', '(' .. now)
local last = tonumber(redis.call('ZSCORE', finish, owner) or '0')
local lastFirst = tonumber(redis.call('ZSCORE', firsts, owner) or '0')
local withWork = redis.call('ZCOUNT', finish, '(' .. now, '+inf')
if last > now then withWork = withWork - 1 end
if withWork == 0 then spacing = 1 end
local result = {}
for i = 8, #ARGV, 3 do
  local id, cost, later = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local known = redis.call('GET', tags .. id)
  if redis.call('EXISTS', jobs .. id) == 1 then
    result[#result + 1] = -1
  elseif known then
    result[#result + 1] = tonumber(known)
  else
    local tag = math.max(now, later == 1 and last or lastFirst)
    if math.max(tag, last) >= size and now > 0 then
      moveDown(now)
      tag, last, lastFirst, now = tag - now, math.max(0, last - now), math.max(0, lastFirst - now), 0
    end
    if later == 0 then lastFirst = tag + spacing * cost end
    last = math.max(now, last) + cost
    local priority = 1 + 2 * math.min(tag, size - 1) + later
    redis.call('SET', tags .. id, priority, 'EX', ARGV[7])
    result[#result + 1] = priority
  end
end
redis.call('ZADD', finish, last, owner, now, 'v')
redis.call('ZADD', firsts, lastFirst, owner)
redis.call('EXPIRE', finish, ARGV[6])
redis.call('EXPIRE', firsts, ARGV[6])
return result
`;

/** KEYS: finish tags. ARGV: owner, units. A tag below the virtual time is as good as none. */
const giveBackScript = `
local owner = 'o:' .. ARGV[1]
local last = redis.call('ZSCORE', KEYS[1], owner)
if last then redis.call('ZADD', KEYS[1], math.max(0, tonumber(last) - tonumber(ARGV[2])), owner) end
return 0
`;

/**
 * @param deps.prefix that of the queues
 * @param deps.tagCount how many tags there are; less than BullMQ allows only in tests
 */
export function createFairShares(deps: { redis: Redis; keys: Keys; prefix: string; tagCount?: number }): FairShares {
  const { redis, keys, prefix, tagCount = defaultTagCount } = deps;

  return {
    async tag(queue, owner, jobs) {
      if (jobs.length === 0) return [];
      const key = (name: string) => `${prefix}:${queue}:${name}`;
      const priorities = (await redis.eval(
        tagScript,
        5,
        key('prioritized'),
        key('delayed'),
        key('active'),
        keys.shares(queue),
        keys.firstShares(queue),
        key(''),
        keys.tag(''),
        tagCount,
        owner,
        firstSpacing,
        stateTtlSeconds,
        tagTtlSeconds,
        ...jobs.flatMap((job) => [job.jobId, toUnits(job.costSeconds), job.comesFirst ? 0 : 1]),
      )) as number[];
      return jobs.map((_, i) => {
        const priority = priorities[i] ?? -1;
        return priority < 0 ? null : priority;
      });
    },
    async giveBack(queue, owner, jobs) {
      const refund = (given: readonly TaggedJob[], key: string) => {
        const units = given.reduce((sum, job) => sum + toUnits(job.costSeconds), 0);
        return units > 0 ? redis.eval(giveBackScript, 1, key, owner, units) : 0;
      };
      // Of first chunks at least as much as one who is alone was charged.
      const firsts = jobs.filter((job) => job.comesFirst);
      await Promise.all([refund(jobs, keys.shares(queue)), refund(firsts, keys.firstShares(queue))]);
    },
  };
}

function toUnits(costSeconds: number): number {
  return Math.max(1, Math.round(costSeconds / unitSeconds));
}
