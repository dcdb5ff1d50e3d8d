import { useEffect, useRef } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';

/** What the keys do. */
export function Help({ onClose }: { onClose(): void }) {
  const { singleKeys } = useApp();
  const m = useMessages();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const { help, editing } = m;
  const groups = [
    { title: help.everywhere, keys: [['/'], help.search, ['?'], help.help] },
    {
      title: help.lecture,
      keys: [
        [help.space, 'k'],
        help.play,
        ['←', '→'],
        help.skip,
        ['j', 'l'],
        help.jump,
        ['<', '>'],
        help.speed,
        ['↑', '↓'],
        help.rows,
      ],
    },
    {
      title: editing.title,
      keys: [
        ...[[help.enter, `Shift+${help.enter}`], help.nextText, [`Ctrl+${help.enter}`], help.playText],
        ...[['Alt+↓', 'Alt+↑'], help.unsureText, ['Ctrl+Z', 'Ctrl+Shift+Z'], help.undoText],
        ...[['Ctrl+S'], editing.save, ['Esc'], help.leaveText],
      ],
    },
    { title: help.cards, keys: [[help.enter], help.turn, ['←', '→'], help.step, ['1', '2', '3', '4'], help.rate] },
  ] as const;
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">{help.title}</h2>
      {groups.map(({ title, keys }) => (
        <section key={title} class="help-group">
          <h3>{title}</h3>
          <dl class="help-keys">
            {keys.map((key, i) =>
              typeof key === 'string' ? (
                <dd key={key}>{key}</dd>
              ) : (
                <dt key={`keys ${i / 2}`}>
                  {key.map((one) => (
                    <kbd key={one}>{one}</kbd>
                  ))}
                </dt>
              ),
            )}
          </dl>
        </section>
      ))}
      <label class="help-switch">
        <input
          type="checkbox"
          checked={singleKeys.areOn.value}
          onChange={({ currentTarget }) => singleKeys.choose(currentTarget.checked)}
        />
        {help.singleKeys}
      </label>
      <div class="dialog-buttons">
        <button class="button" type="button" onClick={() => dialog.current?.close()}>
          {m.dialog.close}
        </button>
      </div>
    </dialog>
  );
}
