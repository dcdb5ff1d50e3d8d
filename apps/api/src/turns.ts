export interface Turns {
  /** Does the work when all that was asked for before under the same name has ended. */
  take<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** One piece of work after the other for each name, within this process. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    async take(name, work) {
      const turn = (last.get(name) ?? Promise.resolve()).then(work, work);
      last.set(name, turn);
      try {
        return await turn;
      } finally {
        if (last.get(name) === turn) last.delete(name);
      }
    },
  };
}
