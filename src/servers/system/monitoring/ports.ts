/** Ports that are listened on, from /proc/net (Linux only). */

import { readdir, readlink } from 'node:fs/promises';
import { z } from 'zod';
import { ToolError } from '../../../kernel/define-server.ts';
import { readText } from './read-proc.ts';

export const portShape = z.object({
  protocol: z.enum(['tcp', 'tcp6', 'udp', 'udp6']).describe('Transport.'),
  address: z.string().describe('Address it is bound to; 0.0.0.0 and :: mean every interface.'),
  port: z.number().int().describe('Port.'),
  reachable: z
    .enum(['this-machine', 'network'])
    .describe('Whether others can reach it, as far as the address says.'),
  userId: z.number().int().describe('User id of the owner.'),
  pid: z.number().int().nullable().describe('Process that holds it; null when it belongs to another user.'),
  process: z.string().nullable().describe('Name of that process.'),
});
export type Port = z.output<typeof portShape>;
type Protocol = Port['protocol'];

export interface Socket {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly userId: number;
  readonly inode: string;
}

/** Four bytes of a little-endian word, first byte first. */
const bytesOfWord = (hex: string): string[] => (hex.match(/../g) ?? []).toReversed();

/** Decodes an address of /proc/net/tcp (IPv4, one word) or tcp6 (four words), each word in host order. */
export function decodeAddress(hex: string): string {
  if (hex.length === 8)
    return bytesOfWord(hex)
      .map((byte) => Number.parseInt(byte, 16))
      .join('.');
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap(bytesOfWord).join('');
  const mapped = /^0{20}ffff(.{8})$/i.exec(bytes)?.[1];
  if (mapped !== undefined) {
    return `::ffff:${(mapped.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join('.')}`;
  }
  const groups = (bytes.match(/.{4}/g) ?? []).join(':');
  // The URL parser writes IPv6 in its shortest form.
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

const listening = '0A';
const unconnected = '07';

/** Parses /proc/net/{tcp,tcp6,udp,udp6}: listening TCP sockets and unconnected UDP ones. */
export function parseSockets(text: string, protocol: Protocol): Socket[] {
  const wanted = protocol.startsWith('tcp') ? listening : unconnected;
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const columns = line.trim().split(/\s+/);
      const [local = '', remote = '', state = ''] = columns.slice(1, 4);
      const [address = '', port = ''] = local.split(':');
      if (state !== wanted || !remote.endsWith(':0000')) return [];
      return [
        {
          protocol,
          address: decodeAddress(address),
          port: Number.parseInt(port, 16),
          userId: Number(columns[7]),
          inode: columns[9] ?? '',
        },
      ];
    });
}

const isLocal = (address: string): boolean => /^(127\.|::1$|::ffff:127\.)/.test(address);

/** Which process holds which socket; only processes of our own user show it. */
async function ownersOf(inodes: ReadonlySet<string>): Promise<Map<string, number>> {
  const owners = new Map<string, number>();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) owners.set(inode, Number(pid));
    }
    if (owners.size === inodes.size) break;
  }
  return owners;
}

export async function readPorts(protocols: readonly Protocol[]): Promise<Port[]> {
  if (process.platform !== 'linux') {
    throw new ToolError(
      `listening_ports reads /proc/net, which ${process.platform} does not have; run "lsof -iTCP -sTCP:LISTEN" or "netstat -ano" there instead`,
    );
  }
  const tables = await Promise.all(
    protocols.map(async (protocol) =>
      parseSockets((await readText(`/proc/net/${protocol}`)) ?? '', protocol),
    ),
  );
  const sockets = tables.flat();
  const owners = await ownersOf(new Set(sockets.map((socket) => socket.inode)));
  const ports = await Promise.all(
    sockets.map(async ({ inode, ...socket }): Promise<Port> => {
      const pid = owners.get(inode) ?? null;
      const name = pid === null ? undefined : await readText(`/proc/${pid}/comm`);
      return {
        ...socket,
        reachable: isLocal(socket.address) ? 'this-machine' : 'network',
        pid,
        process: name?.trim() ?? null,
      };
    }),
  );
  return ports.sort((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol));
}
