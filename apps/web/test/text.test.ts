import type { Lecture } from '@studymate/contracts/lecture';
import { type StageName, type StageStatus, stageNames } from '@studymate/contracts/stages';
import type { Segment } from '@studymate/contracts/transcript';
import { describe, expect, test } from 'vitest';
import { parseRoute, toHash, toLectureHash } from '../src/state/route.ts';
import { createSpeedometer } from '../src/state/speedometer.ts';
import { findObjection } from '../src/state/upload-file.ts';
import { en } from '../src/text/en.ts';
import { findMatches, toFindable } from '../src/text/find-in-transcript.ts';
import { createLanguageNames, toAbout, toBytes, toClock, toDay, toPercent, toTaken } from '../src/text/format.ts';
import { splitByHighlights } from '../src/text/highlights.ts';
import { toMarkdown } from '../src/text/markdown.ts';
import { toOverallProgress, toShortStatus, toStageText, toStatusText } from '../src/text/status-text.ts';
import { findAt, splitByWords } from '../src/text/transcript-text.ts';
import { toWavePath } from '../src/text/wave-path.ts';
import { toLecture, toSegments } from './lecture.ts';

describe('times and sizes', () => {
  test('a moment has hours only where there are some, and is never rounded up to a moment that has not come', () => {
    expect([0, 59.999, 75.3, 3599.9, 3600, 36_000.5, -1].map(toClock)).toEqual([
      '0:00',
      '0:59',
      '1:15',
      '59:59',
      '1:00:00',
      '10:00:00',
      '0:00',
    ]);
  });

  test('an estimate is said the coarser the longer it is', () => {
    expect([1, 12, 54.9, 60, 95, 3540, 3580, 5400, 7200, 172_800, 8e6].map((value) => toAbout(value, en))).toEqual([
      'a few seconds',
      'about 15 s',
      'about 55 s',
      'about 1 min',
      'about 2 min',
      'about 59 min',
      'about 1 h',
      'about 1 h 30 min',
      'about 2 h',
      'about 2 days',
      'about 3 months',
    ]);
  });

  test('a measured time keeps a tenth below ten seconds', () => {
    expect([0.02, 0.44, 9.94, 59.6, 200].map((value) => toTaken(value, en))).toEqual([
      '< 0.1 s',
      '0.4 s',
      '9.9 s',
      '1 min 0 s',
      '3 min 20 s',
    ]);
  });

  test('a share below the whole is never shown as 100 %', () => {
    expect([0, 0.999, 1, 1.5, -1].map(toPercent)).toEqual(['0 %', '99 %', '100 %', '100 %', '0 %']);
  });

  test('a size has the unit that a file manager would show', () => {
    expect([0, 999, 1000, 1_250_000, 123_456_789, 5e9].map((value) => toBytes(value, en))).toEqual([
      '0 bytes',
      '999 bytes',
      '1.0 kB',
      '1.3 MB',
      '123 MB',
      '5.0 GB',
    ]);
  });

  test('a day is named by its distance, and has a year only when it is another one', () => {
    const now = new Date(2026, 0, 2, 8, 0);
    const at = (...parts: [number, number, number, number, number]) => toDay(new Date(...parts).toISOString(), en, now);
    expect(at(2026, 0, 2, 0, 5)).toBe('today, 0:05');
    expect(at(2026, 0, 1, 23, 59)).toBe('yesterday, 23:59');
    expect(at(2025, 11, 31, 9, 30)).toBe('31 December 2025, 9:30');
  });

  test('a language code becomes its name, and one that nobody knows stays as it is', () => {
    expect(['ar', 'en', 'not a code'].map(createLanguageNames(en))).toEqual(['Arabic', 'English', 'not a code']);
  });
});

describe('a search in a transcript', () => {
  const segments = [{ text: 'Élan, then a café.' }, { text: 'A CAFÉ  au lait; the ﬁrst' }, { text: 'éclair. الكِتَاب' }];
  const found = (wanted: string) =>
    findMatches(toFindable(segments), wanted).map(({ from, to }) =>
      from.segment === to.segment
        ? segments[from.segment]?.text.slice(from.offset, to.offset)
        : [segments[from.segment]?.text.slice(from.offset), segments[to.segment]?.text.slice(0, to.offset)],
    );

  test('finds words whatever their case and marks, and nothing for spaces', () => {
    expect(found('cafe')).toEqual(['café', 'CAFÉ']);
    expect(found('CAFÉ au')).toEqual(['CAFÉ  au']);
    expect(found('fir')).toEqual(['ﬁr']);
    expect(found('كتاب')).toEqual(['كِتَاب']);
    expect(['', '  ', 'tea'].map(found)).toEqual([[], [], []]);
  });

  test('finds what runs from one segment into the next', () => {
    expect(found('first  eclair')).toEqual([['ﬁrst', 'éclair']]);
  });
});

describe('addresses', () => {
  test('lead to the list, to a lecture, or to nothing', () => {
    const id = '01m7ym4szrg1stsyamh6b2ebas';
    expect(['', '#', '#/'].map((hash) => parseRoute(hash).name)).toEqual(['home', 'home', 'home']);
    const lecture = { name: 'lecture', lectureId: id, part: null };
    expect(parseRoute(toLectureHash(id))).toEqual({ ...lecture, atSeconds: null });
    expect(parseRoute(toLectureHash(id, 75.25))).toEqual({ ...lecture, atSeconds: 75.25 });
    expect(parseRoute(`#/lectures/${id}?part=nothing`)).toEqual({ ...lecture, atSeconds: null });
    for (const hash of [
      '#/lectures/',
      '#/lectures/a/b',
      '#/lectures/a?at=-1',
      '#/lectures/a?at=1e9',
      '#/lectures/..%2f',
      '#/courses',
      '#javascript:alert(1)',
    ]) {
      expect(parseRoute(hash)).toEqual({ name: 'unknown' });
    }
  });
});

test('an address keeps what is searched for and the part that is open', () => {
  const routes = [
    { name: 'home', query: '50 % of “x” & #y?' },
    { name: 'course', courseId: 'abc', query: 'كتب' },
    { name: 'lecture', lectureId: 'abc', atSeconds: 3, part: 'flashcards' },
  ] as const;
  for (const route of routes) expect(parseRoute(toHash(route))).toEqual(route);
  expect(toHash({ name: 'home', query: '' })).toBe('#/');
});

describe('a file that is chosen', () => {
  const objection = (content: string | Uint8Array<ArrayBuffer>, type = '') =>
    findObjection(new File(content.length === 0 ? [] : [content], 'a.mp3', { type }));

  test('is refused at once when it has no bytes, or its type can be no recording', async () => {
    expect(await objection('', 'audio/mpeg')).toBe('empty');
    const types = ['text/plain', 'image/png', 'application/pdf', 'application/vnd.ms-excel', 'application/zip'];
    const refused = await Promise.all(types.map((type) => objection('\0\0', type)));
    expect(refused).toEqual(['isText', 'isPicture', 'isDocument', 'isDocument', 'isArchive']);
  });

  test('is refused at once when its first bytes are those of something else, whatever it is called', async () => {
    const beginnings = ['%PDF-1.7\0', 'PK\x03\x04\x14', 'These are my notes.\r\n', 'Über العربية'];
    const refused = await Promise.all(beginnings.map((content) => objection(content, 'audio/mpeg')));
    expect(refused).toEqual(['isDocument', 'isArchive', 'isText', 'isText']);
    expect(await objection(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10), 'audio/mpeg')).toBe('isPicture');
  });

  test('is left to the API otherwise', async () => {
    for (const type of ['', 'audio/mpeg', 'video/mp4', 'application/ogg', 'application/octet-stream']) {
      expect(await objection(Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, 0), type)).toBeNull();
    }
    expect(await objection('RIFF\x24\0\0\0WAVEfmt ')).toBeNull();
  });
});

describe('the speed of an upload', () => {
  const after = (...notes: [bytes: number, ms: number][]) => {
    const speed = createSpeedometer();
    for (const note of notes) speed.note(...note);
    return speed.bytesPerSecond;
  };

  test('is that of the last seconds, and not told before there is enough to say', () => {
    expect(after([0, 0])).toBeNull();
    expect(after([0, 0], [100, 400])).toBeNull();
    expect(after([0, 0], [1000, 1000])).toBe(1000);
    expect(after([0, 0], [10_000, 4000], [11_000, 8000], [12_000, 12_000])).toBe(250);
  });

  test('begins anew after a pause, and when bytes have to be sent again', () => {
    expect(after([0, 0], [1000, 1000], [1000, 60_000])).toBeNull();
    expect(after([0, 0], [5000, 1000], [2000, 1500])).toBeNull();
  });
});

describe('the text of a segment', () => {
  const toWord = (word: string, start = 0) => ({ word, start, end: start + 1, probability: 1 });
  const split = (text: string, words: string[]) =>
    splitByWords({ text, words: words.map((word, i) => toWord(word, i)) }).map((piece) =>
      piece.word === null ? piece.text : [piece.text, piece.word.start],
    );

  test('is split at its words, with all that stands between them', () => {
    expect(split('Now, as  all.', ['Now,', 'as', 'all.'])).toEqual([['Now,', 0], ' ', ['as', 1], '  ', ['all.', 2]]);
    expect(split('the then the', ['the', 'then', 'the'])).toEqual([['the', 0], ' ', ['then', 1], ' ', ['the', 2]]);
  });

  test('of a script without spaces needs none, and right-to-left text keeps its order', () => {
    expect(split('活字印刷', ['活字', '印刷'])).toEqual([
      ['活字', 0],
      ['印刷', 1],
    ]);
    expect(split('فن الطباعة', ['فن', 'الطباعة'])).toEqual([['فن', 0], ' ', ['الطباعة', 1]]);
  });

  test('is whole also when words are missing in it, and when there are none', () => {
    expect(split('one three', ['one', 'two', 'three'])).toEqual([['one', 0], ' ', ['three', 2]]);
    expect(split('no words', [])).toEqual(['no words']);
    expect(split('', [''])).toEqual([]);
  });
});

test('the item at a time is the last one that has begun', () => {
  const items = [1, 2, 2, 5].map((start) => ({ start }));
  expect([0, 1, 1.9, 2, 4.9, 5, 99].map((seconds) => findAt(items, seconds))).toEqual([-1, 0, 0, 2, 2, 3, 3]);
  expect(findAt([], 1)).toBe(-1);
});

describe('the line about a lecture', () => {
  const running = (over: Partial<Lecture['stages'][number]>): Lecture =>
    toLecture({
      status: 'running',
      queue: { position: 0, etaSeconds: 24 },
      stages: { ingest: { status: 'done', progress: 1 }, transcribe: { status: 'running', ...over } },
    });

  test('tells what is done at the moment, how far it is and how long it may take', () => {
    expect(toStatusText(running({ progress: 0.431 }), en)).toBe('Transcribing, 43 % · about 25 s left');
    // In the list, where the share of the whole stands beside it.
    expect(toStatusText(running({ progress: 0.431 }), en, { hasShare: false })).toBe('Transcribing · about 25 s left');
  });

  test('says that the model is loaded first as long as nothing else has happened', () => {
    expect(toStatusText(running({ cold: true }), en)).toBe('Transcribing: loading the model first · about 25 s left');
    expect(toStatusText(running({ cold: true, progress: 0.1 }), en)).toBe('Transcribing, 10 % · about 25 s left');
  });

  test('names the study parts together while several are made, and one by its name', () => {
    const making = (...names: ('chapters' | 'topics')[]) =>
      toStatusText(
        toLecture({
          status: 'running',
          stages: Object.fromEntries(names.map((name) => [name, { status: 'running' }])),
        }),
        en,
      );
    expect(making('chapters', 'topics')).toBe('Making the study parts');
    expect(making('topics')).toBe('Finding topics');
    expect(making()).toBe('Waiting for a free worker');
  });

  test('tells the place in the queue', () => {
    const queued = (position: number | null, etaSeconds: number | null) =>
      toStatusText(toLecture({ status: 'queued', queue: { position, etaSeconds } }), en);
    expect(queued(null, null)).toBe('Waiting');
    expect(queued(1, null)).toBe('Next in the queue');
    expect(queued(2, null)).toBe('1 lecture before this one');
    expect(queued(4, 600)).toBe('3 lectures before this one · ready in about 10 min');
  });

  test('gives the reason of a failure', () => {
    const error = { code: 'not_media', message: 'The file is not a recording.' };
    const lecture = toLecture({ status: 'failed', stages: { ingest: { status: 'failed', error } } });
    expect(toStatusText(lecture, en)).toBe('Could not be worked on: The file is not a recording.');
    expect(toShortStatus(lecture, en)).toBe('Failed');
  });
});

test('the progress of all the work is 0 at first, grows with every stage, and is 1 when all are done or left out', () => {
  const upTo = (count: number, status: StageStatus) =>
    toOverallProgress(
      toLecture({
        stages: Object.fromEntries(
          stageNames.slice(0, count).map((name) => [name, { status, progress: status === 'done' ? 1 : 0 }]),
        ),
      }).stages,
    );
  const shares = stageNames.map((_, i) => upTo(i, 'done'));
  expect(shares[0]).toBe(0);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect(new Set(shares).size).toBe(stageNames.length);
  expect(upTo(stageNames.length, 'done')).toBeCloseTo(1);
  expect(upTo(stageNames.length, 'skipped')).toBeCloseTo(1);
});

test('a step tells what it took, how far it is, or why it stands', () => {
  const text = (over: Partial<Lecture['stages'][number]>, ended = false) =>
    toStageText(toLecture({ stages: { summary: over } }).stages[5] as Lecture['stages'][number], ended, en);
  expect(text({ status: 'done', seconds: 12.2 })).toBe('12 s');
  expect(text({ status: 'running', progress: 0.5 })).toBe('50 %');
  expect(text({ status: 'running', cold: true })).toBe('loading');
  expect(text({ status: 'queued' })).toBe('next');
  expect(text({ status: 'failed' }, true)).toBe('failed');
  expect(text({ status: 'waiting' })).toBe('waiting');
  expect(text({ status: 'waiting' }, true)).toBe('not begun');
});

describe('notes as Markdown', () => {
  const segment = (start: number, text: string) => ({ ...toSegments(start, [text])[0], start }) as Segment;
  const notes = {
    title: 'Type *and* [print]',
    meta: '1:00 · English',
    summary: {
      statements: [{ text: '1. Letters were cast.', start: 61, end: 65 }],
      keyTerms: [{ term: 'type', definition: 'A letter <b>.', start: 3 }],
    },
    chapters: [
      { start: 0, end: 30, title: 'Before', level: 'general' as const },
      { start: 30, end: 60, title: 'After', level: 'general' as const },
    ],
    cards: [{ id: 'a', type: 'question' as const, front: 'Who?', back: 'He.', start: 1 }],
    segments: [segment(0, ' One '), segment(5, 'two.'), segment(40, '# Three')],
    stale: new Set<StageName>(),
  };

  test('have what was said in its chapters, and nothing that users wrote becomes markup', () => {
    expect(toMarkdown(notes, en)).toBe(
      [
        '# Type \\*and\\* \\[print\\]\n\n1:00 · English\n',
        '## Summary\n\n- 1\\. Letters were cast. (1:01)\n',
        '## Key terms\n\n- **type**: A letter \\<b\\>.\n',
        '## Transcript\n\n### Before (0:00)\n\n(0:00) One two.\n\n### After (0:30)\n\n(0:40) \\# Three\n',
        '## Cards\n\n- Who?\n  - He.\n',
      ].join('\n'),
    );
  });

  test('say what was made of an earlier version of the text', () => {
    const text = toMarkdown({ ...notes, stale: new Set<StageName>(['summary', 'chapters']) }, en);
    const note = 'Made of an earlier version of the text.';
    for (const heading of ['Summary', 'Key terms']) expect(text).toContain(`## ${heading}\n\n*${note}*\n\n- `);
    expect(text).toContain(`## Transcript\n\n*Chapters: ${note}*\n\n### Before`);
    expect(text).toContain('## Cards\n\n- Who?');
  });

  test('leave out what was not made', () => {
    const few = { ...notes, title: 'A', meta: 'B', summary: null, chapters: [], cards: [] };
    expect(toMarkdown(few, en)).toBe('# A\n\nB\n\n## Transcript\n\n(0:00) One two. \\# Three\n');
  });

  test('have a paragraph a minute or so, which ends with a sentence if there is one', () => {
    const texts = ['One.', 'Two', 'goes on.', 'Three.'];
    const segments = toSegments(0, texts).map((segment, i) => ({ ...segment, start: i * 40 }));
    const few = { ...notes, title: 'A', meta: 'B', summary: null, chapters: [], cards: [], segments };
    expect(toMarkdown(few, en)).toBe('# A\n\nB\n\n## Transcript\n\n(0:00) One. Two goes on.\n\n(2:00) Three.\n');
  });
});

test('a waveform is drawn mirrored, one unit for each value, silence as a thin line', () => {
  expect(toWavePath([])).toBe('');
  expect(toWavePath([255, 0])).toBe('M0 1L0.5 0L1.5 0.98L2 1L1.5 1.02L0.5 2Z');
  expect(toWavePath([0])).toBe('M0 1L0.5 0.98L1 1L0.5 1.02Z');
  // One cough among a hundred words.
  expect(toWavePath([255, ...Array<number>(99).fill(100)])).toMatch(/^M0 1L0.5 0L1.5 0L/);
});

test('text with highlights: every character once, in order; those that overlap or are empty count for nothing', () => {
  const text = 'movable metal letters';
  const highlights = [
    { from: 0, to: 7 },
    { from: 3, to: 9 },
    { from: 8, to: 8 },
    { from: 14, to: 21 },
  ];
  const parts = splitByHighlights(text, highlights);
  expect(parts.map(({ part }) => part).join('')).toBe(text);
  expect(parts.filter(({ isHit }) => isHit).map(({ part }) => part)).toEqual(['movable', 'letters']);
  expect(splitByHighlights(text, [])).toEqual([{ part: text, isHit: false }]);
});
