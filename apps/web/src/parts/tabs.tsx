import { useRef } from 'preact/hooks';

export interface TabItem<Id extends string> {
  id: Id;
  label: string;
}

/**
 * Tabs as the ARIA Authoring Practices describe them: one stop for the Tab key, arrows between them. The panels are
 * elsewhere on the page, with what `panelProps` gives.
 * https://www.w3.org/WAI/ARIA/apg/patterns/tabs/
 */
export function Tabs<Id extends string>(props: {
  tabs: readonly TabItem<Id>[];
  label: string;
  selected: Id;
  onSelect(id: Id): void;
}) {
  const list = useRef<HTMLDivElement>(null);
  const onKey = (event: KeyboardEvent) => {
    const buttons = [...(list.current?.querySelectorAll<HTMLButtonElement>('[role=tab]') ?? [])];
    // Some of them are there on small screens only.
    const visible = buttons.filter((button) => button.offsetParent !== null);
    const at = visible.indexOf(document.activeElement as HTMLButtonElement);
    const isMirrored = list.current !== null && getComputedStyle(list.current).direction === 'rtl';
    const [back, forth] = isMirrored ? ['ArrowRight', 'ArrowLeft'] : ['ArrowLeft', 'ArrowRight'];
    const steps: Record<string, number> = { [back]: at - 1, [forth]: at + 1, Home: 0, End: visible.length - 1 };
    const target = steps[event.key];
    if (at < 0 || target === undefined) return;
    event.preventDefault();
    const next = visible.at(target % visible.length);
    next?.focus();
    next?.click();
  };
  return (
    <div ref={list} class="tabs" role="tablist" aria-label={props.label} onKeyDown={onKey}>
      {props.tabs.map(({ id, label }) => (
        <button
          key={id}
          class="tab"
          id={`tab-${id}`}
          role="tab"
          type="button"
          aria-controls={`panel-${id}`}
          aria-selected={id === props.selected}
          tabIndex={id === props.selected ? 0 : -1}
          onClick={() => props.onSelect(id)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

/** Attributes of the panel of a tab. @param className other classes that it has */
export function panelProps(id: string, selected: string, className: string) {
  return {
    id: `panel-${id}`,
    role: 'tabpanel',
    'aria-labelledby': `tab-${id}`,
    class: id === selected ? `${className} is-selected` : className,
    tabIndex: 0,
  } as const;
}
