/** Readers of the segmentation and topic data, see README.md beside this file. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** One file with `==========` before each segment: its sentences and the index of each segment's first one. */
export function readSegmented(file) {
  const sentences = [];
  const boundaries = [];
  let fresh = true;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line.startsWith('==========')) {
      fresh = true;
      continue;
    }
    const text = line.trim();
    if (text === '') continue;
    if (fresh) boundaries.push(sentences.length);
    fresh = false;
    sentences.push(text);
  }
  return { name: path.basename(file), sentences, boundaries };
}

function filesIn(folder, ending) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => path.join(folder, name));
}

/** The named sets, each a list of documents. `limit` takes the first ones of every Choi folder. */
export function segmentationSets(dataFolder, { limit = Number.POSITIVE_INFINITY } = {}) {
  const root = path.join(dataFolder, 'segmentation');
  const sets = {};
  for (const range of ['3-11', '3-5', '6-8', '9-11']) {
    sets[`choi ${range}`] = ['1', '2', '3']
      .map((part) => path.join(root, 'choi', part, range))
      .flatMap((folder) => {
        try {
          return filesIn(folder, '.ref').slice(0, limit);
        } catch {
          return [];
        }
      })
      .map(readSegmented);
  }
  sets['mit-ai dev'] = filesIn(path.join(root, 'mit-ai/manual'), '.dev').map(readSegmented);
  sets['mit-ai ref'] = filesIn(path.join(root, 'mit-ai/manual'), '.ref').map(readSegmented);
  sets['mit-physics dev'] = filesIn(path.join(root, 'mit-physics/manual'), '.dev').map(readSegmented);
  sets['mit-physics ref'] = filesIn(path.join(root, 'mit-physics/manual'), '.ref').map(readSegmented);
  return sets;
}

/** Meeting transcripts: segments split at sentence ends, two levels of titled chapters by time. */
export function tinyRecSets(dataFolder) {
  const folder = path.join(dataFolder, 'segmentation/tinyrec/dev');
  return readdirSync(folder)
    .filter((name) => name.endsWith('_anno.json'))
    .sort()
    .map((name) => ({
      entries: JSON.parse(readFileSync(path.join(folder, name.replace('_anno', '')), 'utf8')),
      annotation: JSON.parse(readFileSync(path.join(folder, name), 'utf8')),
    }));
}

/** The BBC news texts with the number of their class. */
export function readBbc(dataFolder) {
  const root = path.join(dataFolder, 'topics/bbc');
  const documents = [];
  const labels = [];
  const classes = readdirSync(root).sort();
  classes.forEach((name, label) => {
    for (const file of filesIn(path.join(root, name), '.txt')) {
      documents.push(readFileSync(file, 'latin1'));
      labels.push(label);
    }
  });
  return { documents, labels, classes };
}

/** The lemmatised BBC texts of OCTIS, the reference corpus for NPMI: a list of words each. */
export function readOctis(dataFolder) {
  return readFileSync(path.join(dataFolder, 'topics/bbc-octis/corpus.tsv'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
    .map(([text, , label]) => ({ words: text.split(' '), label }));
}

/**
 * A meeting of QMSum (Zhong and others 2021): its sentences, the turn in which each is said, and questions with an answer that
 * people wrote and the turns that it is about, the last one included.
 */
export function readMeeting(dataFolder, name, splitSentences) {
  const file = path.join(dataFolder, 'meetings/qmsum-val', `${name}.json`);
  const { meeting_transcripts: turns, specific_query_list: asked } = JSON.parse(readFileSync(file, 'utf8'));
  const tidy = (text) =>
    text
      .replace(/\{[^}]*\}|<[^>]*>/g, ' ')
      .replace(/ (['’]\s?(?:s|t|m|re|ve|ll|d)\b)/g, '$1')
      .replace(/ ([.,?!;:])/g, '$1');
  const said = turns.flatMap(({ content }, turn) => splitSentences(tidy(content)).map((text) => ({ text, turn })));
  const whole = said.filter(({ text }) => /\p{L}{2}/u.test(text));
  const queries = asked.map(({ query, answer, relevant_text_span: spans }) => ({
    question: query,
    answer,
    spans: spans.map(([first, last]) => ({ first: Number(first), last: Number(last) })),
  }));
  return { sentences: whole.map(({ text }) => text), turns: whole.map(({ turn }) => turn), queries };
}
