import type { CourseTopics } from '@studymate/contracts/course-topics';
import { useEffect, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { toLectureHash } from '../state/route.ts';
import { toAbout } from '../text/format.ts';
import { toMessage } from '../text/problems.ts';

/** As many as one looks at; the API joins the likest. */
const topicCount = 12;

/** Which topic is spoken of in which lecture, and for how long: a row for each topic, a column for each lecture. */
export function CourseTopicsChart({ courseId }: { courseId: string }) {
  const { client } = useApp();
  const m = useMessages();
  const [found, setFound] = useState<CourseTopics | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => {
    const over = new AbortController();
    client.getCourseTopics(courseId, { topicCount, signal: over.signal }).then(setFound, (error) => {
      if (!over.signal.aborted) setProblem(error);
    });
    return () => over.abort();
  }, [client, courseId]);
  if (problem !== null) return <p class="placeholder">{toMessage(problem, m)}</p>;
  if (found === null) return <p class="placeholder">{m.courseTopics.looking}</p>;
  const { topics, lectures, missing } = found;
  if (topics.length === 0) return <p class="placeholder">{m.courseTopics.none}</p>;
  const longest = Math.max(...topics.flatMap((topic) => topic.lectures.map(({ seconds }) => seconds)), 1);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, also by keyboard
    <figure class="course-topics" tabIndex={0} aria-label={m.courseTopics.title}>
      <table>
        <thead>
          <tr>
            <th scope="col">{m.courseTopics.topic}</th>
            {lectures.map(({ id, title }) => (
              <th key={id} scope="col">
                <a href={toLectureHash(id)} dir="auto">
                  {title}
                </a>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {topics.map((topic) => (
            <tr key={topic.id}>
              <th scope="row" dir="auto" title={topic.terms.map(({ term }) => term).join(', ')}>
                {topic.label}
              </th>
              {lectures.map(({ id }) => {
                const here = topic.lectures.find(({ lectureId }) => lectureId === id);
                const moment = here?.moments[0];
                return (
                  <td key={id}>
                    {here !== undefined && moment !== undefined && (
                      <a
                        class="topic-dot"
                        href={toLectureHash(id, moment.start)}
                        title={m.courseTopics.spokenFor(toAbout(here.seconds, m))}
                        style={{ '--size': Math.sqrt(here.seconds / longest).toFixed(3) }}
                      >
                        <span class="visually-hidden">{m.courseTopics.spokenFor(toAbout(here.seconds, m))}</span>
                      </a>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {missing > 0 && <p class="placeholder">{m.courseTopics.missing(missing)}</p>}
    </figure>
  );
}
