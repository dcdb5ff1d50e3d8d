/** Whether what had the focus is gone, or disabled: a keyboard would begin anew at the top of the page. */
export function hasLostFocus(): boolean {
  const { activeElement } = document;
  return activeElement === null || activeElement === document.body || activeElement.matches(':disabled');
}
