import { formatSeconds } from './show-lecture.mjs';

/**
 * Shows how far a lecture is: one line that is rewritten on a terminal, otherwise a line whenever there is news.
 *
 * @param {NodeJS.WriteStream} out
 */
export function createProgress(out) {
  const live = out.isTTY === true;
  let shown = '';
  let shownLine = '';
  let shownText = '';
  let liveText = '';

  return {
    /** @param {{lecture: object | null, uploaded: number | null, lastText: string}} state */
    show(state) {
      if (live) {
        const text = toLine(state, out.columns ?? 80);
        if (text === liveText) return;
        liveText = text;
        out.write(`\r\x1b[K${text}`);
        return;
      }
      const news = toNews(state);
      if (news === shown) return;
      shown = news;
      const line = toLine({ ...state, lastText: state.lastText === shownText ? '' : state.lastText }, 160);
      if (line === shownLine) return;
      shownLine = line;
      shownText = state.lastText;
      out.write(`${line}\n`);
    },
    /** A line of its own, above the live one. */
    log(line) {
      if (live) out.write('\r\x1b[K');
      out.write(`${line}\n`);
      if (live && liveText !== '') out.write(liveText);
    },
    /** Ends the live line. */
    end() {
      if (live && liveText !== '') out.write('\r\x1b[K');
      liveText = '';
      shown = '';
      shownLine = '';
      shownText = '';
    },
  };
}

const finalStatuses = ['ready', 'partial', 'failed', 'cancelled'];

function toLine({ lecture, uploaded, lastText }, columns) {
  if (lecture === null) return `  uploading ${percent(uploaded ?? 0)}`;
  const parts = [];
  const position = lecture.queue.position;
  const running = lecture.stages.filter((stage) => stage.status === 'running');
  if (running.length > 0) {
    parts.push(running.map((stage) => `${stage.name} ${percent(stage.progress)}`).join(', '));
  } else if (position !== null && position > 0) {
    parts.push(`waiting, place ${position} in the queue`);
  } else {
    parts.push(lecture.status);
  }
  const done = lecture.stages.filter((stage) => ['done', 'skipped'].includes(stage.status)).length;
  parts.push(`${done} of ${lecture.stages.length} steps done`);
  const isFinal = finalStatuses.includes(lecture.status);
  // The estimate is asked for apart from the events, and may be older than they are.
  if (lecture.queue.etaSeconds !== null && !isFinal)
    parts.push(`about ${formatSeconds(lecture.queue.etaSeconds)} left`);
  const line = `  ${parts.join(' · ')}`;
  const room = columns - line.length - 8;
  if (lastText === '' || room < 20) return line.slice(0, columns - 1);
  const words = lastText.replaceAll(/\s+/g, ' ').trim();
  return `${line} · “${words.length > room ? `…${words.slice(-room + 1)}` : words}”`;
}

/** What makes a new line worth while where lines stay: a stage's status, or a quarter of it. */
function toNews({ lecture, uploaded }) {
  if (lecture === null) return `upload ${Math.floor((uploaded ?? 0) * 4)}`;
  const stages = lecture.stages.map((stage) => `${stage.name} ${stage.status} ${Math.floor(stage.progress * 4)}`);
  return `${lecture.status} ${stages.join()}`;
}

function percent(share) {
  return `${Math.floor(share * 100)} %`;
}
