import type { StoredFlashcard } from '@studymate/contracts/study';

/** A sentence that was corrected begins where it began, give or take a word. */
const sameMomentSeconds = 1;

/**
 * Cards that are made again, each with the id under which it is known already: what has been learnt of it is kept by its id.
 * A card is the same where a correction has changed one of its sides, or none, at the same moment.
 * @param before what was made the last time
 */
export function keepCardIds(cards: readonly StoredFlashcard[], before: readonly StoredFlashcard[]): StoredFlashcard[] {
  const taken = new Set(cards.map(({ id }) => id));
  return cards.map((card) => {
    if (before.some(({ id }) => id === card.id)) return card;
    const known = before.find(
      (old) =>
        !taken.has(old.id) &&
        old.type === card.type &&
        Math.abs(old.start - card.start) <= sameMomentSeconds &&
        (old.front === card.front || old.back === card.back),
    );
    if (!known) return card;
    taken.add(known.id);
    return { ...card, id: known.id };
  });
}
