import { createId } from '@studymate/contracts/ids';
import type { ModelFamily } from '@studymate/contracts/models';
import { createDemandHistory, type HourlyUses, hourMs } from '@studymate/queue/demand-history';
import { createKeys } from '@studymate/queue/keys';
import { createRedis } from '@studymate/queue/redis';
import { testRedisUrl } from '@studymate/queue/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectUses, isToBeWarm } from '../src/warming/expect-demand.ts';
import { createWarming } from '../src/warming/warming.ts';

const minuteMs = 60_000;
/** A Monday, by the time zone of the process. */
const mondayNine = new Date(2026, 0, 5, 9).getTime();
const hoursAt = (...times: number[]): HourlyUses => new Map(times.map((ms) => [Math.floor(ms / hourMs), 4] as const));
const daysBefore = (ms: number, days: number) => ms - days * 24 * hourMs;

describe('what is expected', () => {
  test('an hour that is used every working day: from five minutes before it to its end, and on no weekend', () => {
    const lastWeek = [3, 4, 5, 6, 7].map((days) => daysBefore(mondayNine, days));
    const uses = hoursAt(...lastWeek);
    expect(isToBeWarm(uses, mondayNine - 6 * minuteMs)).toBe(false);
    expect(isToBeWarm(uses, mondayNine - 5 * minuteMs)).toBe(true);
    expect(isToBeWarm(uses, mondayNine + 59 * minuteMs)).toBe(true);
    expect(isToBeWarm(uses, mondayNine + 60 * minuteMs)).toBe(false);
    expect(expectUses(uses, daysBefore(mondayNine, 1))).toBe(0);
  });

  test('an hour that is used on Mondays alone: expected on the next, not on Tuesday; one use in a week is no habit', () => {
    const uses = hoursAt(daysBefore(mondayNine, 7));
    expect(isToBeWarm(uses, mondayNine)).toBe(true);
    expect(isToBeWarm(uses, daysBefore(mondayNine, 6))).toBe(false);
    expect(isToBeWarm(new Map([[Math.floor(daysBefore(mondayNine, 7) / hourMs), 1]]), mondayNine)).toBe(false);
    expect(isToBeWarm(new Map(), mondayNine)).toBe(false);
  });
});

describe('warming', () => {
  let redis: ReturnType<typeof createRedis>;
  let keys: ReturnType<typeof createKeys>;
  beforeEach(() => {
    redis = createRedis({ url: testRedisUrl(), kind: 'consumer', onError: () => {} });
    keys = createKeys(`{t${createId()}}`);
  });
  afterEach(async () => {
    await redis.del(keys.demand('speech'), keys.demand('text'));
    redis.disconnect();
  });

  const start = (clock: { ms: number }) => {
    const held: ModelFamily[] = [];
    const errors: unknown[] = [];
    const state = { fails: false, isAway: false };
    const warming = createWarming({
      history: createDemandHistory({ redis, keys }),
      families: ['speech', 'text'],
      async hold(family) {
        if (state.fails) throw new Error('it cannot be loaded');
        held.push(family);
        return () => held.splice(held.indexOf(family), 1);
      },
      onChange: () => {},
      onError: (error) => errors.push(error),
      canAsk: () => !state.isAway,
      now: () => clock.ms,
    });
    return { warming, held, errors, state };
  };

  test('a week of habits: the family is loaded five minutes before, let go after, another worker knows them too', async () => {
    const clock = { ms: daysBefore(mondayNine, 7) };
    const { warming } = start(clock);
    for (let days = 7; days >= 1; days--) {
      clock.ms = daysBefore(mondayNine, days) + 10 * minuteMs;
      for (let i = 0; i < 5; i++) warming.noteUse('speech');
      await warming.look();
    }
    await warming.close();

    const { warming: other, held } = start(clock);
    clock.ms = mondayNine - 10 * minuteMs;
    await other.look();
    expect([...held]).toEqual([]);
    clock.ms = mondayNine - 4 * minuteMs;
    await other.look();
    expect([...held]).toEqual(['speech']);
    await other.look();
    expect([...held]).toEqual(['speech']);
    clock.ms = mondayNine + 61 * minuteMs;
    await other.look();
    expect([...held]).toEqual([]);
    clock.ms = mondayNine + 7 * 24 * hourMs;
    await other.look();
    expect([...held]).toEqual([]);
    await other.close();
  });

  test('a load that fails: said, and tried again; what is held is let go at the end', async () => {
    const clock = { ms: mondayNine };
    const { warming, held, errors, state } = start(clock);
    await createDemandHistory({ redis, keys }).add('text', hoursAt(daysBefore(mondayNine, 7)));
    state.fails = true;
    await warming.look();
    expect([errors.length, held.length]).toEqual([1, 0]);
    state.fails = false;
    await warming.look();
    expect([...held]).toEqual(['text']);
    await warming.close();
    expect([...held]).toEqual([]);
  });

  test('while Redis is away: uses are kept in mind and written down after, once', async () => {
    const { warming, state } = start({ ms: mondayNine });
    state.isAway = true;
    warming.noteUse('speech');
    await warming.look();
    state.isAway = false;
    warming.noteUse('speech');
    await warming.look();
    await warming.look();
    const uses = await createDemandHistory({ redis, keys }).read('speech', mondayNine);
    expect([...uses]).toEqual([[Math.floor(mondayNine / hourMs), 2]]);
    await warming.close();
  });

  test('what is older than eight days is forgotten', async () => {
    const history = createDemandHistory({ redis, keys });
    await history.add('speech', hoursAt(daysBefore(mondayNine, 9), daysBefore(mondayNine, 2)));
    expect((await history.read('speech', mondayNine)).size).toBe(1);
    expect(await redis.hlen(keys.demand('speech'))).toBe(1);
    expect(await redis.ttl(keys.demand('speech'))).toBeGreaterThan(0);
  });
});
