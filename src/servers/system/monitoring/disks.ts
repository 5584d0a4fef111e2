/** Mounted file systems and how full they are. */

import { statfs } from 'node:fs/promises';
import { z } from 'zod';
import { percentOf } from './pause.ts';
import { readText } from './read-proc.ts';
import { runProgram } from './run-program.ts';

export const diskShape = z.object({
  mount: z.string().describe('Where it is mounted, or the drive.'),
  device: z.string().describe('Device or source.'),
  type: z.string().describe('Kind of file system; empty where the system does not say.'),
  totalBytes: z.number().describe('Size.'),
  usedBytes: z.number().describe('In use.'),
  availableBytes: z.number().describe('What programs can still write.'),
  usedPercent: z.number().describe('Share in use, reserved space counted as used, 0 to 100.'),
  inodesUsedPercent: z
    .number()
    .nullable()
    .describe('Share of file entries in use; null where there is no fixed number.'),
});
export type Disk = z.output<typeof diskShape>;

export interface Mount {
  readonly mount: string;
  readonly device: string;
  readonly type: string;
}

/** Kinds that hold no files of their own. */
const pseudoTypes =
  /^(proc|sysfs|devtmpfs|devpts|cgroup2?|securityfs|debugfs|tracefs|configfs|pstore|bpf|mqueue|hugetlbfs|fusectl|autofs|binfmt_misc|rpc_pipefs|nsfs|efivarfs|ramfs|squashfs)$/;
/** Kinds whose server may hang; asked only when the caller wants them. */
const networkTypes =
  /^(nfs\d?|cifs|smb\w*|afs|ceph|glusterfs|9p|fuse\.(sshfs|rclone|s3fs|gcsfuse|davfs)|davfs|afpfs|webdav)$/;

/** Undoes the octal escapes of blanks in /proc/self/mounts (fstab(5)). */
const unescapeMount = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)));

/** Parses /proc/self/mounts; of mounts at one place the last one counts, as it hides the others. */
export function parseMounts(text: string): Mount[] {
  const mounts = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [device = '', mount = '', type = ''] = line.split(' ').map(unescapeMount);
    if (mount !== '' && !pseudoTypes.test(type) && !/^\/(?:proc|sys)\//.test(mount))
      mounts.set(mount, { device, mount, type });
  }
  return [...mounts.values()];
}

/** Parses `df -kP`: device, blocks, used, available, percent, mount; device and mount may hold blanks. */
export function parseDf(text: string): Mount[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, device = '', mount = ''] = /^(.+?)\s+\d+\s+\d+\s+-?\d+\s+\d+%\s+(\/.*)$/.exec(line) ?? [];
      return mount === '' || device === 'devfs' ? [] : [{ device, mount, type: '' }];
    });
}

const driveLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');

async function listMounts(signal: AbortSignal): Promise<Mount[]> {
  const text = await readText('/proc/self/mounts');
  if (text !== undefined) return parseMounts(text);
  if (process.platform === 'win32')
    return driveLetters.map((letter) => ({ device: `${letter}:`, mount: `${letter}:\\`, type: '' }));
  return parseDf(await runProgram('df', ['-kP', '-l'], signal));
}

const statTimeoutMs = 2000;

/** A file system that does not answer in time is left out: it must not hang the whole answer. */
async function measure(mount: Mount): Promise<Disk | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), statTimeoutMs);
  const stat = await Promise.race([statfs(mount.mount).catch(() => undefined), late]);
  clearTimeout(timer);
  if (!stat || stat.blocks === 0) return undefined;
  const { bsize, blocks, bfree, bavail, files, ffree } = stat;
  const used = (blocks - bfree) * bsize;
  return {
    ...mount,
    totalBytes: blocks * bsize,
    usedBytes: used,
    availableBytes: bavail * bsize,
    usedPercent: percentOf(used, used + bavail * bsize),
    inodesUsedPercent: files > 0 ? percentOf(files - ffree, files) : null,
  };
}

/** Every file system once, by mount; bind mounts of one device are shown at their shortest place. */
export async function readDisks(includeNetwork: boolean, signal: AbortSignal): Promise<Disk[]> {
  const mounts = await listMounts(signal);
  const wanted = mounts.filter((mount) => includeNetwork || !networkTypes.test(mount.type));
  const byDevice = new Map<string, Mount>();
  for (const mount of wanted) {
    const key = mount.device.startsWith('/dev/') ? mount.device : `${mount.device}\0${mount.mount}`;
    const former = byDevice.get(key);
    if (!former || mount.mount.length < former.mount.length) byDevice.set(key, mount);
  }
  const disks = await Promise.all([...byDevice.values()].map(measure));
  return disks.filter((disk) => disk !== undefined).sort((a, b) => (a.mount < b.mount ? -1 : 1));
}
