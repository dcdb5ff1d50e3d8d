import type { SearchResponse } from '@studymate/contracts/search';
import { useEffect, useMemo } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { rewriteAddress, toLectureHash } from '../state/route.ts';
import { createSearch } from '../state/search.ts';
import type { Messages } from '../text/en.ts';
import { toClock } from '../text/format.ts';
import { splitByHighlights } from '../text/highlights.ts';
import { toMessage } from '../text/problems.ts';

const maxQueryLength = 500;

/**
 * Looks through lectures while somebody types; each answer leads to its moment.
 * @param props.courseId only its own
 * @param props.query what is looked for at first
 */
export function SearchBox({ courseId, query }: { courseId?: string; query: string }) {
  const { client, singleKeys } = useApp();
  const m = useMessages();
  const search = useMemo(
    () =>
      createSearch({
        client,
        ...(courseId !== undefined && { courseId }),
        query,
        onQuery: (asked) =>
          rewriteAddress(
            courseId === undefined ? { name: 'home', query: asked } : { name: 'course', courseId, query: asked },
          ),
      }),
    [client, courseId, query],
  );
  useEffect(() => () => search.close(), [search]);
  const answer = search.answer.value;
  const problem = search.problem.value;
  return (
    <div class="search-box">
      <search>
        <form
          class="search"
          onSubmit={(event) => {
            event.preventDefault();
            search.now();
          }}
        >
          <label class="visually-hidden" for="search">
            {courseId === undefined ? m.search.label : m.search.labelCourse}
          </label>
          <input
            class="field"
            id="search"
            type="search"
            autocomplete="off"
            aria-keyshortcuts={singleKeys.areOn.value ? '/' : undefined}
            maxLength={maxQueryLength}
            placeholder={m.search.placeholder}
            defaultValue={query}
            onInput={({ currentTarget }) => search.write(currentTarget.value)}
          />
        </form>
      </search>
      <p class="search-status" role="status">
        {problem !== null ? toMessage(problem, m) : answer === null ? '' : toSummary(answer, m)}
      </p>
      <ol class="moments" aria-label={m.search.found}>
        {answer?.results.map((result) => (
          <FoundMoment key={`${result.lectureId} ${result.startSeconds}`} result={result} />
        ))}
      </ol>
    </div>
  );
}

function toSummary({ results, lectures }: SearchResponse, { search }: Messages): string {
  const found = results.length === 0 ? search.none : search.moments(results.length);
  return lectures.searched < lectures.total ? `${found}; ${search.soFar(lectures.searched, lectures.total)}` : found;
}

function FoundMoment({ result }: { result: SearchResponse['results'][number] }) {
  const { lectureId, title, chapterTitle, startSeconds, text, highlights } = result;
  return (
    <li class="found card">
      <a class="found-link" href={toLectureHash(lectureId, startSeconds)} dir="auto">
        {[title, chapterTitle, toClock(startSeconds)].filter((part) => part !== null).join(' · ')}
      </a>
      <p class="found-text" dir="auto">
        {splitByHighlights(text, highlights).map(({ part, isHit }) => (isHit ? <mark>{part}</mark> : part))}
      </p>
    </li>
  );
}
