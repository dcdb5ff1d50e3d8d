import net from 'node:net';

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
    for (let i = 0; i < count; i++) {
      const server = net.createServer();
      await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, host, resolve);
      });
      servers.push(server);
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
