/**
 * Topics against BBC's five classes: node bench/study/topics.mjs DATA_FOLDER
 * Agreement (ARI) on the raw texts; NPMI and diversity on the lemmatised texts of OCTIS, as BERTopic's paper does.
 */
import { readBbc, readOctis } from './data.mjs';
import { createEmbedder } from './embed.mjs';
import { loadStudy } from './load-study.mjs';

const [dataFolder] = process.argv.slice(2);
if (dataFolder === undefined) throw new Error('give the folder of the text data');
const { findTopics, adjustedRandIndex, npmi, diversity } = await loadStudy(['topics', 'metrics']);
const { embed } = createEmbedder();

function report(name, { documents, labels, embeddings, texts, topicCount }) {
  const started = performance.now();
  const found = findTopics({ documents, embeddings, topicCount, language: 'en' });
  const seconds = (performance.now() - started) / 1000;
  const words = found.topics.map((topic) => topic.terms.map(({ term }) => term.toLowerCase()));
  const outliers = found.assignments.filter((id) => id === null).length / documents.length;
  const coherence = texts === undefined ? '' : `  NPMI ${npmi({ topics: words, texts }).toFixed(3)}`;
  console.log(
    `${name.padEnd(28)} topics ${found.topics.length}  ARI ${adjustedRandIndex(found.assignments, labels).toFixed(3)}${coherence}` +
      `  diversity ${diversity(words).toFixed(3)}  outliers ${(100 * outliers).toFixed(1)} %  ${seconds.toFixed(2)} s without embedding`,
  );
  return found;
}

const bbc = readBbc(dataFolder);
const rawEmbeddings = await embed(bbc.documents);
const raw = report('raw texts, automatic', { ...bbc, embeddings: rawEmbeddings });
for (const topic of raw.topics) console.log(`    ${topic.size}: ${topic.terms.map(({ term }) => term).join(', ')}`);
const octis = readOctis(dataFolder);
const texts = octis.map(({ words }) => words);
const documents = texts.map((words) => words.join(' '));
const labels = octis.map(({ label }) => label);
const embeddings = await embed(documents);
report('OCTIS texts, automatic', { documents, labels, embeddings, texts });
report('OCTIS texts, 42 asked for', { documents, labels, embeddings, texts, topicCount: 42 });
const small = bbc.documents.slice(0, 20).map((text) => text.slice(0, 200));
const few = await embed(small);
findTopics({ documents: small, embeddings: few });
const started = performance.now();
findTopics({ documents: small, embeddings: few });
console.log(`20 short texts: ${(performance.now() - started).toFixed(1)} ms`);
