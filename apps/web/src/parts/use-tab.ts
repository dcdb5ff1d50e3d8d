import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type LecturePart, type LectureRoute, rewriteLectureAddress } from '../state/route.ts';

/** The same as in styles/screens.css. */
const wideScreen = '(min-width: 60rem) and (min-height: 34rem)';

/**
 * The tab of a lecture that is open; the address says which. On a large screen the transcript is always there, and the tabs
 * are for what stands beside it.
 * @param route its part is open at first, or the one that suits the screen; another route opens its own
 */
export function useTab(route: LectureRoute): [LecturePart, (id: LecturePart) => void] {
  const wide = useMemo(() => window.matchMedia(wideScreen), []);
  const suited = (id: LecturePart): LecturePart => (wide.matches && id === 'transcript' ? 'summary' : id);
  const [tab, setTab] = useState(() => suited(route.part ?? 'transcript'));
  useEffect(() => {
    // A device that is turned.
    const suit = () => setTab(suited);
    wide.addEventListener('change', suit);
    return () => wide.removeEventListener('change', suit);
  }, [wide]);
  const opened = useRef(route);
  useEffect(() => {
    if (route === opened.current) return;
    opened.current = route;
    setTab((now) => suited(route.part ?? (wide.matches ? now : 'transcript')));
  }, [wide, route]);
  const scrolled = useRef(new Map<LecturePart, number>());
  const shown = useRef(tab);
  useLayoutEffect(() => {
    // Nothing has been scrolled yet; to ask where the panel is would lay out the page once more than needed.
    if (shown.current === tab) return;
    shown.current = tab;
    // There all parts scroll with the page: each comes back as it was left, and a new one with its beginning.
    if (wide.matches) return;
    const y = scrolled.current.get(tab);
    const panel = document.getElementById(`panel-${tab}`);
    if (y !== undefined) window.scrollTo(0, y);
    else if (panel !== null && panel.getBoundingClientRect().top < 0) panel.scrollIntoView({ block: 'start' });
  }, [wide, tab]);
  const select = (id: LecturePart) => {
    scrolled.current.set(tab, window.scrollY);
    setTab(id);
    rewriteLectureAddress(route.lectureId, { part: id });
  };
  return [tab, select];
}
