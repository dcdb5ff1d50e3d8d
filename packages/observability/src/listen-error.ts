/** A port that could not be had, in one line that says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Waits for a listener and explains why it could not be opened.
 *
 * @param place.setting the setting that names the port, such as PORT
 * @throws ListenError when the port is taken or not allowed, or the address is not one of this machine
 */
export async function explainListening<T>(
  listening: Promise<T>,
  place: { setting: string; host: string; port: number },
): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    const { setting, host, port } = place;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const given = `${setting}=${port}`;
    if (code === 'EADDRINUSE') {
      throw new ListenError(
        `${given}: another program already listens on ${host}, port ${port}; stop it, or set ${setting} to another port`,
      );
    }
    if (code === 'EACCES') {
      throw new ListenError(`${given}: this user may not listen on port ${port}; set ${setting} to one above 1023`);
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new ListenError(`${given}: ${host} is no address of this machine`);
    }
    throw error;
  }
}
