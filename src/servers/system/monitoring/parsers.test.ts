import { describe, expect, it } from 'vitest';
import { parseCgroupPaths, parseCpuMax, parseLimit } from './cgroup.ts';
import { parseProcStat, shareBetween } from './cpu.ts';
import { parseDf, parseMounts } from './disks.ts';
import { parsePageSize, parseStat } from './linux-processes.ts';
import { parseClock, parsePs, parseTasklist } from './listed-processes.ts';
import { parseMeminfo } from './memory.ts';
import { parseNetstat, parseProcNetDev } from './network.ts';
import { decodeAddress, parseSockets } from './ports.ts';
import { parsePressure } from './pressure.ts';
import { sharesBetween } from './processes.ts';

describe('processors', () => {
  it('reads /proc/stat and computes shares, also for counters that ran backwards', () => {
    const before = parseProcStat('cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 50 0 25 400 25 0 0 0\nintr 5\n');
    const after = parseProcStat('cpu  160 0 70 900 60 0 0 10 0 0\ncpu0 90 0 25 460 25 0 0 0\nintr 5\n');
    expect(shareBetween(before.total, after.total)).toEqual({
      busyPercent: 45,
      userPercent: 30,
      systemPercent: 10,
      waitPercent: 5,
      stolenPercent: 5,
    });
    expect(before.cores).toHaveLength(1);
    expect(shareBetween(after.total, before.total).busyPercent).toBe(0);
  });
});

describe('memory', () => {
  it('reads /proc/meminfo, with and without MemAvailable', () => {
    const text =
      'MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\nBuffers: 50 kB\nCached: 300 kB\nSReclaimable: 50 kB\nActive(anon): 1 kB\nSwapTotal: 200 kB\nSwapFree: 150 kB\n';
    expect(parseMeminfo(text)).toMatchObject({
      usedPercent: 40,
      availableBytes: 614_400,
      swapUsedPercent: 25,
      cachedBytes: 409_600,
    });
    expect(parseMeminfo(text.replace(/MemAvailable.*\n/, '').replaceAll(/Swap.*\n/g, ''))).toMatchObject({
      availableBytes: 512_000,
      swapUsedPercent: null,
    });
  });
});

describe('limits', () => {
  it.each([
    ['max', null],
    ['1073741824\n', 1_073_741_824],
    ['9223372036854771712', null],
    ['-1', null],
    ['', null],
    [undefined, null],
    ['0', 0],
  ])('reads the limit %j as %j', (text, limit) => {
    expect(parseLimit(text)).toBe(limit);
  });

  it('reads processors and paths of control groups', () => {
    expect(parseCpuMax('150000 100000\n')).toBe(1.5);
    expect(parseCpuMax('max 100000\n')).toBeNull();
    expect(parseCpuMax(undefined)).toBeNull();
    expect(parseCgroupPaths('5:cpu,cpuacct:/a\n0::/b c\n')).toEqual(
      new Map([
        ['cpu', '/a'],
        ['cpuacct', '/a'],
        ['', '/b c'],
      ]),
    );
  });

  it('reads pressure', () => {
    expect(
      parsePressure(
        'some avg10=12.50 avg60=1.00 avg300=0.00 total=1\nfull avg10=1.0 avg60=0 avg300=0 total=0\n',
      ),
    ).toBe(12.5);
    expect(parsePressure('')).toBeUndefined();
  });
});

describe('disks', () => {
  it('reads mounts with blanks and Thai in their names, and leaves out what holds no files', () => {
    const text =
      '/dev/sda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n/dev/sdb /mnt/my\\040disk xfs rw 0 0\nhost:/x /mnt/nfs nfs4 rw 0 0\n/dev/sdc /mnt/my\\040disk ext4 rw 0 0\n';
    expect(parseMounts(text)).toEqual([
      { device: '/dev/sda1', mount: '/', type: 'ext4' },
      { device: '/dev/sdc', mount: '/mnt/my disk', type: 'ext4' },
      { device: 'host:/x', mount: '/mnt/nfs', type: 'nfs4' },
    ]);
  });

  it('reads df of macOS', () => {
    const text =
      'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/disk3s1s1 971350180 9000000 500000000 2% /\ndevfs 200 200 0 100% /dev\nmap auto_home 0 0 0 100% /System/Volumes/Data/home\n/dev/disk4 100 50 50 50% /Volumes/My Disk\n';
    expect(parseDf(text).map((row) => row.mount)).toEqual([
      '/',
      '/System/Volumes/Data/home',
      '/Volumes/My Disk',
    ]);
  });
});

describe('network', () => {
  it('reads /proc/net/dev', () => {
    const text =
      'Inter-|   Receive |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs\n    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\neth0.5:2000 20 3 0 0 0 0 0 1000 10 4 0 0 0 0 0\n';
    expect(parseProcNetDev(text)).toEqual(
      new Map([
        ['lo', { receivedBytes: 100, sentBytes: 100, receiveErrors: 0, sendErrors: 0 }],
        ['eth0.5', { receivedBytes: 2000, sentBytes: 1000, receiveErrors: 3, sendErrors: 4 }],
      ]),
    );
  });

  it('reads netstat of macOS, with and without an address', () => {
    const text =
      'Name Mtu Network Address Ipkts Ierrs Ibytes Opkts Oerrs Obytes Coll\nlo0 16384 <Link#1> 10 0 100 11 0 110 0\nen0 1500 <Link#4> a4:83:e7:00:00:01 20 1 200 21 2 210 0\nen0 1500 192.0.2 192.0.2.5 20 - 200 21 - 210 -\nutun0* 1380 <Link#9> 0 0 0 0 0 0 0\n';
    const counters = parseNetstat(text);
    expect([...counters.keys()]).toEqual(['lo0', 'en0', 'utun0']);
    expect(counters.get('en0')).toEqual({
      receivedBytes: 200,
      sentBytes: 210,
      receiveErrors: 1,
      sendErrors: 2,
    });
  });

  it.each([
    ['0100007F', '127.0.0.1'],
    ['00000000', '0.0.0.0'],
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000001000000', '::1'],
    ['0000000000000000FFFF00000100007F', '::ffff:127.0.0.1'],
    ['B80D0120000000000000000001000000', '2001:db8::1'],
  ])('decodes the address %s as %s', (hex, address) => {
    expect(decodeAddress(hex)).toBe(address);
  });

  it('reads listening sockets only', () => {
    const head =
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
    const text = `${head}   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 4711 1 0 100\n   1: 0100007F:1F91 0100007F:0050 01 0:0 00:0 0 1000 0 4712 1\n`;
    expect(parseSockets(text, 'tcp')).toEqual([
      { protocol: 'tcp', address: '127.0.0.1', port: 8080, userId: 1000, inode: '4711' },
    ]);
  });
});

describe('processes', () => {
  it('reads /proc/<pid>/stat, whatever the name', () => {
    const fields = 'S 1 5 5 0 -1 4194560 100 0 0 0 250 150 0 0 20 0 7 0 12345 1000 300 1';
    expect(parseStat(`42 (a) b (c) ${fields}`)).toEqual({
      name: 'a) b (c',
      state: 'sleeping',
      parentPid: 1,
      cpuTicks: 400,
      threads: 7,
      startTicks: 12_345,
      residentPages: 300,
    });
    expect(parseStat('')).toBeUndefined();
  });

  it('finds the page size in the auxiliary vector', () => {
    const auxv = Buffer.alloc(48);
    auxv.writeBigUInt64LE(33n, 0);
    auxv.writeBigUInt64LE(6n, 16);
    auxv.writeBigUInt64LE(16_384n, 24);
    expect(parsePageSize(auxv)).toBe(16_384);
    expect(parsePageSize(Buffer.alloc(3))).toBe(4096);
  });

  it.each([
    ['00:01', 1000],
    ['2:03.50', 123_500],
    ['01:02:03', 3_723_000],
    ['3-01:02:03', 262_923_000],
    ['N/A', 0],
  ])('reads the clock %s as %d ms', (text, ms) => {
    expect(parseClock(text)).toBe(ms);
  });

  it('reads ps', async () => {
    const [row] = parsePs(
      '  501     1 anna    2048 Ss+      01:00   0:02.50 /usr/bin/node server.js --token abc\n\n',
      100_000,
    );
    expect(row).toMatchObject({
      pid: 501,
      parentPid: 1,
      name: 'node',
      user: 'anna',
      memoryBytes: 2_097_152,
      cpuMs: 2500,
      startedAtMs: 40_000,
      state: 'sleeping',
    });
    expect(await row?.arguments()).toEqual(['/usr/bin/node', 'server.js', '--token', 'abc']);
  });

  it('reads tasklist, whatever the thousands separator', () => {
    const text =
      '"System","4","Services","0","1,234 K","Unknown","N/A","0:01:02","N/A"\r\n"node.exe","77","Console","1","12.345 K","Running","PC\\anna","0:00:05","a ""b"" c"\r\nINFO: none\r\n';
    expect(parseTasklist(text)).toMatchObject([
      { pid: 4, name: 'System', user: null, memoryBytes: 1234 * 1024, cpuMs: 62_000 },
      { pid: 77, name: 'node.exe', user: 'PC\\anna', memoryBytes: 12_345 * 1024 },
    ]);
  });

  it('takes a process that reuses an id for a new one', () => {
    const row = (birth: string, cpuMs: number) => ({ pid: 1, birth, cpuMs }) as never;
    expect(sharesBetween([row('a', 100)], [row('a', 600)], 1000)).toMatchObject([{ cpuPercent: 50 }]);
    expect(sharesBetween([row('a', 100)], [row('b', 600)], 1000)).toMatchObject([{ cpuPercent: null }]);
  });
});
