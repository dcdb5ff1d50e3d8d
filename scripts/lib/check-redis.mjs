import net from 'node:net';
import tls from 'node:tls';

/**
 * Asks the Redis of a URL for a sign of life, so that a wrong REDIS_URL is told at once and not after minutes of
 * waiting.
 *
 * @param {string} url `redis://` or `rediss://`, with or without user and password
 * @param {{timeoutMs?: number}} [options]
 * @throws {Error} that names REDIS_URL (without its password) and what is wrong
 */
export async function checkRedis(url, { timeoutMs = 3_000 } = {}) {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') {
    // Not repeated whole: what cannot be read may hold a password all the same.
    throw new Error('REDIS_URL is no address of a Redis; give one such as redis://127.0.0.1:6379');
  }
  const isSecure = parsed.protocol === 'rediss:';
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(parsed.port || 6379);
  const shown = `REDIS_URL=${parsed.protocol}//${parsed.hostname}:${port}`;
  const commands = [['PING']];
  if (parsed.password !== '')
    commands.unshift(['AUTH', ...[parsed.username, parsed.password].filter(Boolean).map(decoded)]);
  const { answer, reason } = await ask({ host, port, isSecure, commands, timeoutMs });
  const advice = 'start that Redis, correct REDIS_URL, or leave it out to have one started';
  if (answer === '') throw new Error(`${shown}: ${reason}; ${advice}`);
  // A Redis that reads its data is there, and API and worker wait until it is done.
  if (/^(\+PONG|-LOADING)/m.test(answer)) return;
  if (/^-(NOAUTH|WRONGPASS|ERR .*(auth|password))/im.test(answer)) {
    throw new Error(`${shown}: the user or password is wrong or missing; give redis://USER:PASSWORD@HOST:PORT`);
  }
  throw new Error(`${shown}: what answers there is no Redis; ${advice}`);
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** In the protocol of Redis, where any character may stand in a password: https://redis.io/docs/latest/develop/reference/protocol-spec */
function toCommand(words) {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

/** What comes back to the commands; with a reason where nothing did. */
function ask({ host, port, isSecure, commands, timeoutMs }) {
  return new Promise((resolve) => {
    let answer = '';
    let reason = 'the connection was closed without an answer';
    const socket = isSecure
      ? tls.connect({ host, port, ...(net.isIP(host) ? {} : { servername: host }) })
      : net.connect({ host, port });
    const timer = setTimeout(() => {
      reason = `no answer within ${timeoutMs / 1000} s`;
      socket.destroy();
    }, timeoutMs);
    socket.once(isSecure ? 'secureConnect' : 'connect', () => socket.write(commands.map(toCommand).join('')));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      // One line for each command; another protocol may send what it likes.
      if (answer.split('\n').length > commands.length || answer.length > 1_000) socket.destroy();
    });
    socket.on('error', (error) => {
      reason = `nobody answers (${error.code ?? error.message})`;
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ answer, reason });
    });
  });
}
