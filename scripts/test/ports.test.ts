import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePorts } from '../lib/ports.mjs';

test('free ports: all different, none that the system would give to somebody else meanwhile, and nobody has them', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(30_000);
  }
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(ports[0], '127.0.0.1', resolve));
  await new Promise((resolve) => server.close(resolve));
});

test('free ports of an address that is none of this machine: an error, not a search without end', async () => {
  await expect(freePorts(1, '192.0.2.1')).rejects.toThrow('EADDRNOTAVAIL');
});
