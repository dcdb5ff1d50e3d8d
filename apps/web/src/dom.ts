/** Attributes of an element; `undefined` and `false` leave one out. Text comes from children, never from markup. */
export interface Attributes {
  [name: `aria-${string}` | `data-${string}`]: string | number | boolean | undefined;
  class?: string;
  id?: string;
  href?: string;
  src?: string;
  alt?: string;
  role?: string;
  type?: string;
  title?: string;
  dir?: 'auto';
  lang?: string;
  accept?: string;
  autocomplete?: string;
  required?: boolean;
  multiple?: boolean;
  hidden?: boolean;
  disabled?: boolean;
  controls?: boolean;
  tabindex?: number;
  max?: number;
  value?: number;
  preload?: string;
  datetime?: string;
}

type Listeners = { [E in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[E]) => void };
export type Child = Node | string | null | undefined | false;

/** Makes an element. Strings become text nodes: what users write is never read as HTML. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  children: readonly Child[] = [],
  listeners: Listeners = {},
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children.filter((child): child is Node | string => typeof child === 'string' || !!child));
  for (const [type, listener] of Object.entries(listeners)) element.addEventListener(type, listener as EventListener);
  return element;
}

/** As `el` sets them: `aria-` takes "false" as a value, elsewhere false means not there. */
export function setAttribute(element: Element, name: string, value: string | number | boolean | undefined): void {
  if (value === undefined || (value === false && !name.startsWith('aria-'))) element.removeAttribute(name);
  else element.setAttribute(name, value === true && !name.startsWith('aria-') ? '' : String(value));
}

/** Changes the text only if it is another one, so that a selection or a screen reader is not disturbed. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A small picture of one path in a square of 24, in the colour of the text; for the eye alone. */
export function icon(path: string): SVGSVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  const shape = document.createElementNS(namespace, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

export const icons = {
  upload: 'M12 16V5m0 0L7 10m5-5 5 5M5 19h14',
  back: 'M15 5l-7 7 7 7',
  forward: 'M9 5l7 7-7 7',
  download: 'M12 4v11m0 0 5-5m-5 5-5-5M5 20h14',
  done: 'M5 12.5l4.5 4.5L19 7.5',
  failed: 'M7 7l10 10M17 7L7 17',
  skipped: 'M6 12h12',
} as const;
