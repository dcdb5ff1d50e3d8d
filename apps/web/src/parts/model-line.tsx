import { useEffect, useMemo, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { createSpeechModel } from '../state/speech-model.ts';
import { toAbout } from '../text/format.ts';

/** Whether a recording that is sent now can be begun with at once. */
export function ModelLine() {
  const { client } = useApp();
  const m = useMessages();
  const model = useMemo(() => createSpeechModel({ client }), [client]);
  useEffect(() => () => model.close(), [model]);
  const [nowMs, setNowMs] = useState(Date.now);
  const status = model.status.value;
  const isLoading = status?.state === 'loading';
  useEffect(() => {
    if (!isLoading) return;
    const timer = setInterval(() => setNowMs(Date.now()), 500);
    return () => clearInterval(timer);
  }, [isLoading]);
  const toText = () => {
    if (status === null) return '';
    if (status.workers === 0) return m.model.noWorker;
    if (status.state === 'ready') return m.model.ready;
    if (status.state === 'failed') return m.model.failed;
    if (status.state !== 'loading') return '';
    const passed = status.since === null ? 0 : (nowMs - Date.parse(status.since)) / 1000;
    return m.model.loading(toAbout(Math.max(1, status.expectedLoadSeconds - passed), m));
  };
  return (
    <p class="model-line" data-state={status?.state}>
      {toText()}
    </p>
  );
}
