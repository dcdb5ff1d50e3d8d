const pointers = /\b(?:it|its|they|them|their|he|him|his|she|her|this|that|these|those|there|then|one|ones)\b/i;
const continuations = /^(?:and|but|so|or|also|what about|how about|why|how come|when|where|who|which one)\b/i;
const fewWords = 8;

/** Whether a question can hardly be understood without the one before: "And who invented it?" */
export function leansOnLast(question: string): boolean {
  const count = question.split(/\s+/).length;
  if (count <= 3) return continuations.test(question) || pointers.test(question);
  return count <= fewWords && (pointers.test(question) || /^(?:and|but|so|what about|how about)\b/i.test(question));
}
