import { Dialog } from './dialog.tsx';

/** Asks before something that cannot be undone. Escape and the first button mean no. */
export function Confirm(props: {
  title: string;
  text: string;
  keep: string;
  action: string;
  onAnswer(isYes: boolean): void;
}) {
  return (
    <Dialog
      title={props.title}
      leave={props.keep}
      action={{ label: props.action, isDanger: true }}
      onClose={(answer) => props.onAnswer(answer !== '')}
    >
      <p>{props.text}</p>
    </Dialog>
  );
}
