import { el } from './dom.ts';

export interface Tab {
  id: string;
  label: string;
  content: HTMLElement;
}

/**
 * Tabs as the ARIA Authoring Practices describe them: one stop for the Tab key, arrows between them.
 * https://www.w3.org/WAI/ARIA/apg/patterns/tabs/
 */
export function createTabs(
  tabs: readonly [Tab, ...Tab[]],
  options: { label: string; onChange(id: string): void },
): { list: HTMLElement; panels: HTMLElement[]; select(id: string): void } {
  const buttons = tabs.map(({ id, label }) =>
    el(
      'button',
      { class: 'tab', id: `tab-${id}`, role: 'tab', type: 'button', 'aria-controls': `panel-${id}` },
      [label],
      {
        click: () => select(id),
      },
    ),
  );
  const panels = tabs.map(({ id, content }) => {
    content.id = `panel-${id}`;
    content.setAttribute('role', 'tabpanel');
    content.setAttribute('aria-labelledby', `tab-${id}`);
    return content;
  });
  const select = (id: string) => {
    tabs.forEach((tab, i) => {
      const isSelected = tab.id === id;
      buttons[i]?.setAttribute('aria-selected', String(isSelected));
      buttons[i]?.setAttribute('tabindex', isSelected ? '0' : '-1');
      panels[i]?.classList.toggle('is-selected', isSelected);
    });
    options.onChange(id);
  };
  const list = el('div', { class: 'tabs', role: 'tablist', 'aria-label': options.label }, buttons, {
    keydown(event) {
      // Some of them are there on small screens only.
      const visible = buttons.filter((button) => button.offsetParent !== null);
      const at = visible.indexOf(document.activeElement as HTMLButtonElement);
      const steps: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: visible.length - 1 };
      const target = steps[event.key];
      if (at < 0 || target === undefined) return;
      event.preventDefault();
      const next = visible.at(target % visible.length);
      next?.focus();
      next?.click();
    },
  });
  select(tabs[0].id);
  return { list, panels, select };
}
