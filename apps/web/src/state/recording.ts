const tryAgainMs = 3_000;

/**
 * Asks for the recording until there is an answer.
 * @returns its content type ("" for none), or null when it is gone or nobody wants to know any more
 */
export async function findRecording(url: string, signal: AbortSignal): Promise<string | null> {
  while (!signal.aborted) {
    const response = await fetch(url, { method: 'HEAD', signal }).catch(() => null);
    if (response?.ok) return response.headers.get('content-type') ?? '';
    if (response !== null && response.status < 500 && response.status !== 429) return null;
    await pauseBeforeTrying();
  }
  return null;
}

export function pauseBeforeTrying(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, tryAgainMs));
}

/** Whether the API answers at all at this moment. */
export async function isReachable(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { method: 'HEAD', signal }).catch(() => null);
  return response !== null && response.status < 500;
}
