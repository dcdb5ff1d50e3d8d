import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** Longer queues are looked through so far, beginning with what comes next: an alarm has been raised long before. */
const maxLookedAt = 1_000;

/** The list is taken from its end, so the last is the oldest; what has a priority lies in no order of time. */
const script = `
local oldest = false
local function look(id)
  local since = tonumber(redis.call('hget', ARGV[1] .. id, 'timestamp') or '')
  if since and (not oldest or since < oldest) then oldest = since end
end
for _, id in ipairs(redis.call('lrange', KEYS[1], -1, -1)) do look(id) end
for _, id in ipairs(redis.call('zrange', KEYS[2], 0, tonumber(ARGV[2]) - 1)) do look(id) end
return oldest and string.format('%.0f', oldest) or false
`;

/** @returns since when (ms since 1970) the oldest job of a queue that nobody has taken is there, or null when none waits */
export async function readOldestWaiting(redis: Redis, queue: Pick<Queue, 'toKey'>): Promise<number | null> {
  const [waiting, prioritized] = [queue.toKey('wait'), queue.toKey('prioritized')];
  const since = await redis.eval(script, 2, waiting, prioritized, queue.toKey(''), maxLookedAt);
  return since === null ? null : Number(since);
}
