/** What speaks for a passage as the answer to a question. */
export interface AnswerSignals {
  /** Cosine of the question with the passage's likest sentence. */
  sentence: number;
  /** Cosine of the question with the whole passage. */
  passage: number;
  /** How much of the question's words the passage has, rare words counting more, 0 to 1. */
  coverage: number;
}
