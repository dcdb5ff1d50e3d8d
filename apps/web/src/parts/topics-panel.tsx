import type { LectureTopic } from '@studymate/contracts/study';
import { useMessages } from '../state/app.ts';
import { toClock } from '../text/format.ts';
import { Moment } from './moment.tsx';

const maxTerms = 8;

interface TopicsPanelProps {
  topics: readonly LectureTopic[];
  durationSeconds: number;
  onSeek(seconds: number): void;
}

/** Each topic with its terms, and a strip of the lecture that shows when it is spoken of. */
export function TopicsPanel({ topics, ...rest }: TopicsPanelProps) {
  const m = useMessages();
  return (
    <div class="topics">
      {topics.length === 0 && <p class="placeholder">{m.topics.tooShort}</p>}
      {topics.map((topic) => (
        <Topic key={topic.id} topic={topic} {...rest} />
      ))}
    </div>
  );
}

function Topic({ topic, durationSeconds, onSeek }: Omit<TopicsPanelProps, 'topics'> & { topic: LectureTopic }) {
  const m = useMessages();
  const { label, spans, size } = topic;
  const heaviest = topic.terms[0]?.weight ?? 1;
  const whole = Math.max(durationSeconds, spans.at(-1)?.end ?? 0, 0.001);
  const [first] = spans;
  return (
    <section class="topic">
      <h3 dir="auto">{label}</h3>
      <ul class="topic-terms" aria-label={m.topics.terms}>
        {topic.terms.slice(0, maxTerms).map(({ term, weight }) => (
          <li key={term} dir="auto" style={{ '--weight': Math.round((weight / heaviest) * 100) / 100 }}>
            {term}
          </li>
        ))}
      </ul>
      {/* For eye and mouse; the first stretch can be reached by keyboard, the others from the transcript. */}
      <div class="topic-strip" aria-hidden="true">
        {spans.map(({ start, end }) => (
          <button
            key={start}
            type="button"
            tabIndex={-1}
            title={`${toClock(start)} – ${toClock(end)}`}
            style={{ left: `${(start / whole) * 100}%`, width: `${((end - start) / whole) * 100}%` }}
            onClick={() => onSeek(start)}
          />
        ))}
      </div>
      <p class="topic-note">
        {m.topics.size(size, spans.length)}
        {first !== undefined && m.topics.firstAt}
        {first !== undefined && <Moment seconds={first.start} onSeek={onSeek} />}
      </p>
    </section>
  );
}
