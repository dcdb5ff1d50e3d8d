import { randomInt } from 'node:crypto';
import net from 'node:net';

/**
 * Below what systems give to whoever asks for any port and to outgoing connections (Linux from 32768 on, others from 49152
 * on): a port of these stays free while the one who had it is away, such as a Redis that is killed and started again.
 */
const [firstPort, endPort] = [20_000, 30_000];
const maxTries = 1_000;

/**
 * Ports that nobody listens on, all different: they are held together until the last one is known. Somebody may
 * still take one before it is used, so whoever listens must be ready to fail.
 *
 * @param {number} count
 * @param {string} [host]
 * @returns {Promise<number[]>}
 */
export async function freePorts(count, host = '127.0.0.1') {
  const servers = [];
  try {
    for (let tries = 0; servers.length < count; tries++) {
      const server = net.createServer();
      const error = await new Promise((resolve) => {
        server.once('error', resolve);
        server.listen(randomInt(firstPort, endPort), host, () => resolve(null));
      });
      if (error === null) servers.push(server);
      // EACCES: kept by the system for itself (Windows).
      else if (!['EADDRINUSE', 'EACCES'].includes(error.code) || tries === maxTries) throw error;
    }
    return servers.map((server) => server.address().port);
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/**
 * Whether somebody listens there already. Asking first is not enough (another program may come between), but without
 * it, what already listens would be taken for the program that we start.
 *
 * @param {{port: number, host: string}} place
 * @returns {Promise<boolean>}
 */
export async function isTaken({ port, host }) {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(error.code === 'EADDRINUSE'));
    server.listen({ port, host }, () => server.close(() => resolve(false)));
  });
}
