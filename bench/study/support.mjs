/**
 * How well statements are told that a lecture supports: node bench/study/support.mjs DATA [--sets education_0,…]
 * Sentences that people wrote about meetings, each held against the likest passage that it is about (support) and against
 * three passages of the same meeting that it is not about, taken by chance (no support).
 */
import { readMeeting } from './data.mjs';
import { createEmbedder } from './embed.mjs';
import { loadStudy } from './load-study.mjs';

const [dataFolder, ...options] = process.argv.slice(2);
if (dataFolder === undefined) throw new Error('give the folder of the data');
const setsAt = options.indexOf('--sets');
const usual = 'education_0,education_10,education_22,ES2006a,Bed002,IS1006a,TS3010a';
const names = (setsAt < 0 ? usual : options[setsAt + 1]).split(',');
const study = await loadStudy(['sentences', 'search/passages', 'generated/statement-support']);
const { embed } = createEmbedder();
const dimensions = 384;
const rowsOf = ({ vectors }, from, count) => vectors.subarray(from * dimensions, (from + count) * dimensions);

let state = 1;
const random = () => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
  return state / 0x7fffffff;
};

function spoken(texts) {
  let at = 0;
  return texts.map((text) => {
    const start = at;
    at += text.split(/\s+/).length / 2.6;
    return { text, start, end: at, pauseBefore: 0.5, confidence: 0.9, flagged: false };
  });
}

const found = { yes: [], no: [] };
for (const name of names) {
  const { sentences, turns, queries } = readMeeting(dataFolder, name, study.splitSentences);
  const embeddings = await embed(sentences);
  const passages = study.cutPassages(spoken(sentences));
  for (const { answer, spans } of queries) {
    const isAbout = ({ firstSentence, sentenceCount }) =>
      spans.some(
        ({ first, last }) => turns[firstSentence + sentenceCount - 1] >= first && turns[firstSentence] <= last,
      );
    const [about, others] = [passages.filter(isAbout), passages.filter((passage) => !isAbout(passage))];
    const statements = study.splitSentences(answer);
    const vectors = await embed(statements);
    for (const [i, text] of statements.entries()) {
      const measure = (passage) =>
        study.measureSupport(
          { text, vector: rowsOf(vectors, i, 1) },
          { text: passage.text, vectors: rowsOf(embeddings, passage.firstSentence, passage.sentenceCount) },
          { language: 'en' },
        );
      const [likest] = about.map(measure).sort((a, b) => b.meaning.cosine - a.meaning.cosine);
      if (likest) found.yes.push(likest);
      for (let k = 0; k < 3 && others.length > 0; k++) {
        found.no.push(measure(others[Math.floor(random() * others.length)]));
      }
    }
  }
}
const share = (list, test) => (list.filter(test).length / list.length).toFixed(3);
for (const [what, list] of Object.entries(found)) {
  const withoutMeaning = (each) => study.isSupported({ ...each, meaning: null });
  console.log(
    `${what === 'yes' ? 'said' : 'not said'} (${list.length}): taken ${share(list, study.isSupported)}, by words alone ${share(list, withoutMeaning)}`,
  );
}
