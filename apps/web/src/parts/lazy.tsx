import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** A part whose code is loaded when it is first shown. Without a connection it is tried again. */
export function toLazy<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [Part, setPart] = useState<ComponentType<P> | null>(() => loaded);
    useEffect(() => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      let isOver = false;
      const tryLoading = async () => {
        try {
          loaded = (await load()).default;
          if (!isOver) setPart(() => loaded);
        } catch {
          if (!isOver) timer = setTimeout(() => void tryLoading(), retryMs);
        }
      };
      if (Part === null) void tryLoading();
      return () => {
        isOver = true;
        clearTimeout(timer);
      };
    }, [Part]);
    return Part === null ? null : <Part {...props} />;
  };
}

const retryMs = 3_000;
