import { once } from 'node:events';
import { connect } from 'node:net';

/** Has a Redis forget everything, as an operator's mistake would. */
export async function flushRedis(redisUrl: string): Promise<void> {
  const socket = connect(Number(new URL(redisUrl).port), '127.0.0.1');
  try {
    socket.write('FLUSHALL\r\n');
    const [answer] = await once(socket, 'data');
    if (String(answer) !== '+OK\r\n') throw new Error(`FLUSHALL: ${answer}`);
  } finally {
    socket.destroy();
  }
}
