import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Opens a server's listener.
 * @param place.port 0 takes a free one
 * @returns the port it listens on
 * @throws what Node says when the port or address cannot be had
 */
export async function listen(server: Server, place: { host: string; port: number }): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(place.port, place.host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}
