import type { Flashcard, QuizQuestion, StoredFlashcard } from '@studymate/contracts/study';

/**
 * The quiz of a lecture: its cards that have wrong answers beside the right one. A definition is asked for its term. The
 * order of the choices is by chance, but the same for the same card.
 */
export function toQuiz(cards: readonly StoredFlashcard[]): QuizQuestion[] {
  return cards.flatMap((card): QuizQuestion[] => {
    if (card.distractors === undefined) return [];
    const isDefinition = card.type === 'definition';
    const right = isDefinition ? card.front : card.back;
    const choices = [right, ...card.distractors].sort((a, b) => order(card.id, a) - order(card.id, b));
    return [
      {
        id: card.id,
        type: card.type,
        question: isDefinition ? card.back : card.front,
        choices,
        answer: choices.indexOf(right),
        start: card.start,
      },
    ];
  });
}

/** A card as it is learnt from, without what only the quiz needs. */
export function toFlashcard({ distractors: _, ...card }: StoredFlashcard): Flashcard {
  return card;
}

/** FNV-1a, mixed once more: neighbours in the alphabet are none in the order. */
function order(id: string, choice: string): number {
  let hash = 2166136261;
  for (const unit of `${id}\n${choice}`) hash = Math.imul(hash ^ (unit.codePointAt(0) as number), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 12)) >>> 0;
}
