import { AppError } from '@studymate/contracts/errors';

export interface Turns {
  /**
   * Does the work when all that was asked for before under the same name has ended.
   * @throws AppError `too_many_requests` when too much waits under that name; what the work throws
   */
  take<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/**
 * One piece of work after the other for each name, within this process.
 * @param options.most so much is done or waits under one name; any number unless given
 */
export function createTurns({ most = Number.POSITIVE_INFINITY }: { most?: number } = {}): Turns {
  const queues = new Map<string, { last: Promise<unknown>; length: number }>();
  return {
    async take(name, work) {
      const queue = queues.get(name) ?? { last: Promise.resolve(), length: 0 };
      if (queue.length >= most) {
        throw new AppError('too_many_requests', 'Too much of this waits already.', {
          details: { retryAfterSeconds: 1 },
        });
      }
      const turn = queue.last.then(work, work);
      queue.last = turn;
      queue.length++;
      queues.set(name, queue);
      try {
        return await turn;
      } finally {
        queue.length--;
        if (queue.length === 0) queues.delete(name);
      }
    },
  };
}
