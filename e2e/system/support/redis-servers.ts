import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createRedis } from '@studymate/queue/redis';
import { startChild } from '../../../scripts/lib/children.mjs';
import { freePorts } from '../../../scripts/lib/ports.mjs';
import { until } from '../../support/until.ts';

/** Several Redis that work together, on loopback. */
export interface RedisServers {
  /** What API and worker have to know of them. */
  env: Record<string, string>;
  /** kill -9 of the one that has the keys. */
  killPrimary(): Promise<void>;
  close(): Promise<void>;
}

interface Server {
  port: number;
  child: ReturnType<typeof startChild>;
  ask(command: string, ...args: (string | number)[]): Promise<unknown>;
}

/** A failure is seen after so long. */
const deadAfterMs = 1_500;

/** A redis-server in a folder of its own; what it prints goes to a file there. */
async function startServer(dir: string, port: number, settings: string[], flags: string[] = []): Promise<Server> {
  const home = path.join(dir, `redis-${port}`);
  await mkdir(home, { recursive: true });
  const file = path.join(home, 'redis.conf');
  const common = [`port ${port}`, 'bind 127.0.0.1', `dir ${home}`, 'logfile redis.log'];
  await writeFile(file, [...common, ...settings, ''].join('\n'));
  const child = startChild({ name: 'redis', command: 'redis-server', args: [file, ...flags] });
  const ask: Server['ask'] = async (command, ...args) => {
    const redis = createRedis({ url: `redis://127.0.0.1:${port}`, kind: 'consumer', onError: () => {} });
    try {
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  };
  return { port, child, ask };
}

function toServers(all: readonly Server[], primary: Server, env: Record<string, string>): RedisServers {
  return {
    env,
    async killPrimary() {
      primary.child.signal('SIGKILL');
      await primary.child.exited;
    },
    async close() {
      await Promise.all(all.map(({ child }) => child.stop()));
    },
  };
}

/** What follows is undone when it fails half-way. */
async function orClose<T>(all: readonly Server[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await Promise.all(all.map(({ child }) => child.stop()));
    throw error;
  }
}

const isUp = async (replica: Server) =>
  String(await replica.ask('INFO', 'replication')).includes('master_link_status:up');
const memory = ['maxmemory-policy noeviction', 'save ""'];

/** A primary, its replica, and three sentinels who watch over them. */
export async function startSentinels(dir: string): Promise<RedisServers> {
  const [port, replicaPort, ...sentinelPorts] = (await freePorts(5)) as [number, number, ...number[]];
  const all: Server[] = [];
  return orClose(all, async () => {
    const primary = await startServer(dir, port, memory);
    all.push(primary);
    const replica = await startServer(dir, replicaPort, [...memory, `replicaof 127.0.0.1 ${port}`]);
    all.push(replica);
    const name = 'lectures';
    const watch = [
      `sentinel monitor ${name} 127.0.0.1 ${port} 2`,
      `sentinel down-after-milliseconds ${name} ${deadAfterMs}`,
      `sentinel failover-timeout ${name} 5000`,
    ];
    const sentinels: Server[] = [];
    for (const each of sentinelPorts) {
      const sentinel = await startServer(dir, each, watch, ['--sentinel']);
      all.push(sentinel);
      sentinels.push(sentinel);
    }
    await until('the replica has the data', () => isUp(replica));
    for (const sentinel of sentinels) {
      await until('each sentinel knows the others and the replica', async () => {
        const info = String(await sentinel.ask('INFO', 'sentinel'));
        return /status=ok,.*slaves=1,sentinels=3/.test(info);
      });
    }
    return toServers(all, primary, {
      // Where the primary is, they say.
      REDIS_URL: 'redis://127.0.0.1:1',
      REDIS_SENTINELS: sentinelPorts.map((each) => `127.0.0.1:${each}`).join(','),
      REDIS_SENTINEL_NAME: name,
    });
  });
}

/** A cluster of three nodes, each with a third of the slots, and a replica of the one that our keys lie on. */
export async function startCluster(dir: string): Promise<RedisServers> {
  const ports = (await freePorts(8)) as number[];
  const all: Server[] = [];
  return orClose(all, async () => {
    for (let i = 0; i < 4; i++) {
      const settings = ['cluster-enabled yes', `cluster-port ${ports[i + 4]}`, `cluster-node-timeout ${deadAfterMs}`];
      all.push(await startServer(dir, ports[i] as number, [...memory, ...settings, 'cluster-config-file nodes.conf']));
    }
    const [first, second, third, replica] = all as [Server, Server, Server, Server];
    const nodes = [first, second, third];
    const firstSlots = [0, 5461, 10_923, 16_384];
    for (const [i, node] of nodes.entries()) {
      await node.ask('CLUSTER', 'ADDSLOTSRANGE', firstSlots[i] as number, (firstSlots[i + 1] as number) - 1);
    }
    for (const [i, node] of all.entries()) {
      await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
      if (i > 0) await node.ask('CLUSTER', 'MEET', '127.0.0.1', first.port, ports[4] as number);
    }
    const slot = Number(await first.ask('CLUSTER', 'KEYSLOT', '{sm}'));
    const primary = nodes[firstSlots.findLastIndex((from) => from <= slot)] as Server;
    const id = String(await primary.ask('CLUSTER', 'MYID'));
    await until('the replica knows its primary', () =>
      replica.ask('CLUSTER', 'REPLICATE', id).then(
        () => true,
        () => false,
      ),
    );
    await until('the replica has the data', () => isUp(replica));
    for (const node of all) {
      await until('each node knows all', async () => {
        const info = String(await node.ask('CLUSTER', 'INFO'));
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:4');
      });
    }
    return toServers(all, primary, {
      REDIS_URL: 'redis://127.0.0.1:1',
      REDIS_CLUSTER_NODES: all.map(({ port }) => `127.0.0.1:${port}`).join(','),
    });
  });
}
