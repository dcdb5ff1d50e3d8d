import { Adding } from '../parts/adding.tsx';
import { CourseLinks } from '../parts/course-links.tsx';
import { LectureList } from '../parts/lecture-list.tsx';
import { LeftCorrections } from '../parts/left-corrections.tsx';
import { SearchBox } from '../parts/search-box.tsx';
import { useMessages } from '../state/app.ts';

/** The drop zone, what is being sent, courses, and all lectures. @param props.query what is looked for in them */
export function HomeView({ query }: { query: string }) {
  const m = useMessages();
  return (
    <div class="home">
      <div class="home-intro">
        <h1 tabIndex={-1}>{m.home.title}</h1>
        <p class="lead">{m.home.lead}</p>
      </div>
      <Adding />
      <LeftCorrections />
      <CourseLinks />
      <section aria-labelledby="lectures-title">
        <h2 id="lectures-title">{m.home.lectures}</h2>
        <SearchBox query={query} />
        <LectureList empty={m.home.nothingYet} />
      </section>
    </div>
  );
}
