import { el } from './dom.ts';

/** Asks before something that cannot be undone. Escape and the first button mean no. */
export function confirmAction(question: { title: string; text: string; action: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const dialog = el(
      'dialog',
      { class: 'dialog', 'aria-labelledby': 'dialog-title' },
      [
        el('h2', { id: 'dialog-title', dir: 'auto' }, [question.title]),
        el('p', {}, [question.text]),
        el('div', { class: 'dialog-buttons' }, [
          el('button', { class: 'button', type: 'button' }, ['Keep it'], { click: () => dialog.close() }),
          el('button', { class: 'button is-danger', type: 'button' }, [question.action], {
            click: () => dialog.close('yes'),
          }),
        ]),
      ],
      {
        close() {
          dialog.remove();
          resolve(dialog.returnValue === 'yes');
        },
      },
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
