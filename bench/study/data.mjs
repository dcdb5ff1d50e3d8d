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
  for (const level of ['coarse', 'fine']) sets[`tinyrec ${level}`] = tinyRecSet(root, level);
  return sets;
}

/** Meeting transcripts of TinyRec: an utterance a sentence (what was shown meanwhile is empty), two levels. */
function tinyRecSet(root, level) {
  const folder = path.join(root, 'tinyrec/dev');
  return readdirSync(folder)
    .filter((name) => name.endsWith('_anno.json'))
    .sort()
    .map((name) => {
      const [annotation] = Object.values(JSON.parse(readFileSync(path.join(folder, name), 'utf8')));
      const [{ entries }] = Object.values(
        JSON.parse(readFileSync(path.join(folder, name.replace('_anno', '')), 'utf8')),
      );
      const sentences = entries.map(({ doc = '' }) => doc);
      const pausesBefore = entries.map(({ start }, index) => Math.max(0, start - (entries[index - 1]?.end ?? start)));
      const boundaries = annotation[level].map(([first]) => first);
      return { name, sentences, pausesBefore, boundaries, level };
    });
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

/** Meetings with the summary that somebody wrote of the whole of each; spoken at 2.6 words a second. */
export function readSummarisedMeetings(dataFolder) {
  return filesIn(path.join(dataFolder, 'meetings/qmsum-val'), '.json').map((file) => {
    const meeting = JSON.parse(readFileSync(file, 'utf8'));
    let at = 0;
    const segments = meeting.meeting_transcripts.map(({ content }, id) => {
      const start = at;
      const words = content
        .replace(/\{[^}]*\}/g, ' ')
        .split(/\s+/)
        .filter((word) => word !== '')
        .map((word) => {
          const begun = at;
          at += 1 / 2.6;
          return { word, start: begun, end: at, probability: 0.95 };
        });
      at += 0.5;
      return { id, start, end: at, text: words.map(({ word }) => word).join(' '), confidence: 0.95, flags: [], words };
    });
    const text = segments.map((segment) => segment.text).join(' ');
    return {
      name: path.basename(file),
      transcript: { language: 'en', text, segments },
      reference: meeting.general_query_list[0].answer,
    };
  });
}

/** A text as a transcript of the contract's form, spoken at 2.6 words a second. */
export function spoken(text, language = 'en') {
  let at = 0;
  const words = text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      const start = at;
      at += 1 / 2.6 + (/[.!?]$/.test(word) ? 0.5 : 0);
      return { word, start, end: start + 0.3, probability: 0.95 };
    });
  return { language, text, segments: [{ id: 0, start: 0, end: at, text, confidence: 0.95, flags: [], words }] };
}
