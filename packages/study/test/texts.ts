import type { Embeddings } from '../src/embeddings.ts';
import type { TimedSentence } from '../src/sentences.ts';
import { createTerms } from '../src/text-terms.ts';

/** Three themes of eight sentences each; written for these tests. */
export const themes = {
  volcano: [
    'A volcano is an opening in the crust of the Earth through which molten rock escapes.',
    'Magma collects in a chamber below the volcano before an eruption.',
    'The pressure of dissolved gas in the magma drives the eruption upwards.',
    'Lava that runs freely builds a broad shield volcano with gentle slopes.',
    'Thick lava traps gas and leads to an explosive eruption of ash.',
    'Ash from an eruption can rise many kilometres into the atmosphere.',
    'In 1980 Mount Helens opened a new crater on its northern flank.',
    'Geologists watch the magma chamber with instruments that record small tremors.',
  ],
  violin: [
    'The violin has four strings that are tuned in perfect fifths.',
    'A bow of horsehair is drawn across the strings of the violin to make them sound.',
    'The bridge carries the vibration of the strings to the body of the violin.',
    'Makers in Cremona carved the body of the violin from spruce and maple.',
    'Antonio Stradivari varnished each violin with a recipe that is still debated.',
    'A player shortens the strings with the left hand to change the pitch.',
    'Vibrato is a small and regular change of pitch made by the left hand.',
    'In an orchestra the players of the violin sit in two sections of strings.',
  ],
  bread: [
    'Bread dough begins with flour, water, salt and yeast.',
    'Kneading the dough stretches the gluten so that it can hold gas.',
    'The yeast eats sugar from the flour and gives off carbon dioxide.',
    'Sourdough is a dough that is raised by wild yeast and bacteria.',
    'The baker lets the dough rise in a warm place before baking.',
    'A hot oven sets the gluten and turns the dough into bread.',
    'Steam in the oven keeps the crust of the bread soft for a while.',
    'Rye flour has little gluten, and so rye bread is dense.',
  ],
} as const;

export const lecture: string[] = [...themes.volcano, ...themes.violin, ...themes.bread];

/** Bags of stems, each stem a fixed random direction: texts that share words are near each other. */
export function embedByWords(texts: readonly string[], dimensions = 64): Embeddings {
  const terms = createTerms({ language: 'en' });
  const vectors = new Float32Array(texts.length * dimensions);
  texts.forEach((text, row) => {
    const own = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    for (const stem of terms.contentStems(text)) {
      let state = 2166136261;
      for (const letter of stem) state = Math.imul(state ^ (letter.codePointAt(0) as number), 16777619);
      for (let d = 0; d < dimensions; d++) {
        state = Math.imul(state ^ (state >>> 13), 0x5bd1e995) + d;
        own[d] = (own[d] as number) + ((state >>> 0) / 2 ** 32 - 0.5);
      }
    }
    const norm = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    if (norm > 0) for (let d = 0; d < dimensions; d++) own[d] = (own[d] as number) / norm;
  });
  return { dimensions, vectors };
}

/** Sentences one after the other, 0.4 s a word, half a second between them. */
export function toTimed(texts: readonly string[]): TimedSentence[] {
  let at = 0.8;
  return texts.map((text, index) => {
    const start = at;
    const end = start + text.split(' ').length * 0.4;
    at = end + 0.5;
    return { text, start, end, pauseBefore: index === 0 ? 0 : 0.5, confidence: 0.95, flagged: false };
  });
}

/** One direction a theme, and a little of a direction of its own for each text. */
export function embedByTheme(labels: readonly number[], dimensions = 16): Embeddings {
  const vectors = new Float32Array(labels.length * dimensions);
  labels.forEach((label, row) => {
    vectors[row * dimensions + label] = 0.9;
    vectors[row * dimensions + 4 + ((row * 7) % (dimensions - 4))] = Math.sqrt(1 - 0.81);
  });
  return { dimensions, vectors };
}
