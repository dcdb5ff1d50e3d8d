import { useApp, useMessages } from '../state/app.ts';
import { Dialog } from './dialog.tsx';

/** What the keys do. */
export function Help({ onClose }: { onClose(): void }) {
  const { singleKeys } = useApp();
  const m = useMessages();
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
    <Dialog title={help.title} startsWithTitle leave={m.dialog.close} onClose={onClose}>
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
        {/* Of no form: Enter on it must not close the dialog. */}
        <input
          form=""
          type="checkbox"
          checked={singleKeys.areOn.value}
          onChange={({ currentTarget }) => singleKeys.choose(currentTarget.checked)}
        />
        {help.singleKeys}
      </label>
    </Dialog>
  );
}
