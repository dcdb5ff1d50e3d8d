const atOnce = 8;

/**
 * Does something for each item, eight at a time: a store is asked for many things quickly, and not for all at once.
 * @returns the results in the order of the items
 */
export async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += atOnce) {
    results.push(...(await Promise.all(items.slice(i, i + atOnce).map(work))));
  }
  return results;
}
