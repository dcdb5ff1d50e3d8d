import { useApp, useMessages } from '../state/app.ts';
import type { UploadItem, UploadView } from '../state/upload-item.ts';
import type { Messages } from '../text/en.ts';
import { toAbout, toBytes, toPercent } from '../text/format.ts';

/** What is being sent, or could not be. */
export function UploadList() {
  const { uploads } = useApp();
  return (
    <ul class="uploads" aria-label={useMessages().upload.list}>
      {uploads.items.value.map((item) => (
        <Upload key={item.key} item={item} />
      ))}
    </ul>
  );
}

function Upload({ item }: { item: UploadItem }) {
  const { uploads } = useApp();
  const m = useMessages();
  const view = item.view.value;
  const hasFailed = view.state === 'failed';
  const isBeingSent = !['failed', 'checking', 'waiting', 'needs-file'].includes(view.state);
  const action = (label: string, act: () => void) => (
    <button class="button is-small" type="button" aria-label={m.upload.action(label, item.name)} onClick={() => act()}>
      {label}
    </button>
  );
  return (
    <li class={hasFailed ? 'upload card is-failed' : 'upload card'}>
      <p class="upload-name" dir="auto">
        {item.name}
      </p>
      <p class="upload-detail" role="status">
        {toDetail(view, item.size, m)}
      </p>
      <progress
        class="bar"
        max={1}
        value={view.share}
        aria-label={m.upload.sending(item.name)}
        hidden={hasFailed || view.state === 'needs-file'}
      />
      <div class="upload-buttons">
        {hasFailed && view.canRetry && action(m.upload.again, () => uploads.retry(item))}
        {/* The same element, so that the focus stays. */}
        {isBeingSent &&
          (view.state === 'paused'
            ? action(m.upload.resume, () => uploads.resume(item))
            : action(m.upload.pause, () => uploads.pause(item)))}
        {action(hasFailed ? m.upload.dismiss : m.upload.cancel, () => uploads.remove(item))}
      </div>
    </li>
  );
}

function toDetail({ state, share, problem, bytesPerSecond }: UploadView, bytes: number, m: Messages): string {
  const sent = m.upload.sent(toPercent(share), toBytes(bytes, m));
  switch (state) {
    case 'checking':
      return m.upload.checking;
    case 'needs-file':
      return m.upload.needsFile;
    case 'waiting':
      return m.upload.waiting;
    case 'beginning':
      return m.upload.beginning;
    case 'sending': {
      if (!bytesPerSecond) return sent;
      const left = toAbout(((1 - share) * bytes) / bytesPerSecond, m);
      return m.upload.speed(sent, toBytes(bytesPerSecond, m), left);
    }
    case 'storing':
      return m.upload.storing;
    case 'offline':
      return m.upload.awaitsConnection(sent);
    case 'paused':
      return m.upload.paused(sent);
    case 'failed':
      return problem;
  }
}
