/** One entry of the demo's `lectures` as text for people. */
export function toText(entry) {
  const lines = ['', `── ${entry.file}`];
  if (entry.error !== undefined) {
    const where = entry.error.stage === undefined ? '' : ` in ${entry.error.stage}`;
    lines.push('', `  FAILED${where}: ${entry.error.message} (${entry.error.code})`);
  }
  if (!entry.transcript && entry.error === undefined) lines.push(...silentLines);
  if (entry.transcript) lines.push(...transcriptLines(entry.transcript));
  if (entry.chapters) lines.push(...chapterLines(entry.chapters));
  if (entry.topics) lines.push(...topicLines(entry.topics));
  if (entry.summary) lines.push(...summaryLines(entry.summary));
  if (entry.flashcards) lines.push(...flashcardLines(entry.flashcards));
  if (entry.stages) lines.push(...stageLines(entry));
  return lines.join('\n');
}

const silentLines = ['', '  Transcript: nobody speaks.'];

function transcriptLines({ segments, words, language }) {
  if (segments.length === 0) return silentLines;
  const shown = segments.slice(0, 6);
  return [
    '',
    `  Transcript (${language}, ${words.length} words; the first ${shown.length} of ${segments.length} segments)`,
    ...shown.map((segment) => `    ${formatTime(segment.start)}  ${segment.text}`),
  ];
}

function chapterLines(chapters) {
  // Chapters come in three depths; the middle one is the table of contents.
  const levels = new Set(chapters.map((chapter) => chapter.level));
  const level = levels.has('general') ? 'general' : chapters[0]?.level;
  const shown = chapters.filter((chapter) => chapter.level === level);
  return [
    '',
    `  Chapters (${shown.length})`,
    ...shown.map((chapter) => `    ${formatTime(chapter.start)} – ${formatTime(chapter.end)}  ${chapter.title}`),
  ];
}

function topicLines(topics) {
  const toTerms = (topic) =>
    topic.terms
      .slice(0, 5)
      .map(({ term }) => term)
      .join(', ');
  return ['', `  Topics (${topics.length})`, ...topics.map((topic) => `    ${topic.label}: ${toTerms(topic)}`)];
}

function summaryLines({ statements, keyTerms }) {
  return [
    '',
    '  Summary',
    ...statements.map((statement) => `    [${formatTime(statement.start)}] ${statement.text}`),
    ...(keyTerms.length === 0 ? [] : ['', '  Key terms']),
    ...keyTerms.map(({ term, definition, start }) => `    [${formatTime(start)}] ${term}: ${definition}`),
  ];
}

function flashcardLines(flashcards) {
  const shown = flashcards.slice(0, 8);
  const more = shown.length < flashcards.length ? `; the first ${shown.length}` : '';
  return [
    '',
    `  Flashcards (${flashcards.length}${more})`,
    ...shown.flatMap((card) => [`    [${formatTime(card.start)}] ${card.front}`, `            → ${card.back}`]),
  ];
}

function stageLines({ stages, firstWordsSeconds, realTimeFactor }) {
  const toTemperature = (cold) => (cold === null ? '' : cold ? 'cold' : 'warm');
  const figures = [];
  if (firstWordsSeconds !== null) figures.push(`first words after ${firstWordsSeconds.toFixed(2)} s`);
  if (realTimeFactor !== null) figures.push(`transcript in ${realTimeFactor.toFixed(3)} of the recording's time`);
  return [
    '',
    '  What each stage took',
    ...Object.entries(stages).map(([name, { seconds, cold, reused }]) => {
      const took = seconds === null ? '       –' : `${seconds.toFixed(2).padStart(6)} s`;
      return `    ${name.padEnd(12)} ${took}  ${reused ? 'taken over' : toTemperature(cold)}`.trimEnd();
    }),
    ...(figures.length === 0 ? [] : [`  ${figures.join(', ')}`]),
  ];
}

/** 75.4 → "1:15", 3675 → "1:01:15" */
function formatTime(seconds) {
  const whole = Math.floor(seconds);
  const two = (value) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours === 0 ? `${minutes}:${two(whole % 60)}` : `${hours}:${two(minutes)}:${two(whole % 60)}`;
}

/** 12.3 → "12 s", 200 → "3 min 20 s" */
export function formatSeconds(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
