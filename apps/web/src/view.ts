/** One address of the page. */
export interface View {
  element: HTMLElement;
  title: string;
  /** Fills the window by itself on a large screen, with parts that scroll. */
  isApp: boolean;
  close(): void;
}
