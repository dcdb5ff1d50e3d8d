import { useMessages } from '../state/app.ts';
import { toClock } from '../text/format.ts';

/** What stood at a moment, and what stands there instead. */
export function TextChange(props: { start: number; before: string; after: string; language: string | undefined }) {
  const m = useMessages();
  const { start, before, after, language } = props;
  const toText = (text: string) => (text === '' ? <em>{m.editing.removed}</em> : <bdi lang={language}>{text}</bdi>);
  return (
    <li class="text-change">
      <span class="version-note">{toClock(start)}</span>
      <del>{toText(before)}</del>
      <ins>{toText(after)}</ins>
    </li>
  );
}
