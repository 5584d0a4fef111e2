/** Processes from `ps` (macOS and other Unix) and `tasklist` (Windows). */

import { basename } from 'node:path';
import type { RawProcess } from './process-rows.ts';
import { runProgram } from './run-program.ts';

/** `[[days-]hours:]minutes:seconds[.fraction]` as milliseconds; 0 when it is something else. */
export function parseClock(text: string): number {
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] =
    /^(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text.trim()) ?? [];
  return Math.round(
    (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000,
  );
}

const psColumns = 'pid=,ppid=,user=,rss=,state=,etime=,time=,command=';
const stateWords: Readonly<Record<string, string>> = {
  R: 'running',
  S: 'sleeping',
  I: 'idle',
  U: 'waiting for disk',
  D: 'waiting for disk',
  T: 'stopped',
  Z: 'zombie',
};

/** Parses `ps -axww -o` with our columns; the command comes last, as it holds blanks. */
export function parsePs(text: string, nowMs: number): RawProcess[] {
  return text.split('\n').flatMap((line): RawProcess[] => {
    const columns = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(.*)$/.exec(line);
    if (!columns) return [];
    const [
      ,
      pid = '',
      parent = '',
      user = '',
      kilobytes = '',
      state = '',
      elapsed = '',
      time = '',
      command = '',
    ] = columns;
    const startedAtMs = nowMs - parseClock(elapsed);
    const args = command.split(' ');
    return [
      {
        pid: Number(pid),
        parentPid: Number(parent),
        name: basename(args[0] ?? ''),
        arguments: () => Promise.resolve(args),
        user,
        state: stateWords[state.charAt(0)] ?? state,
        memoryBytes: Number(kilobytes) * 1024,
        threads: null,
        startedAtMs,
        cpuMs: parseClock(time),
        birth: command,
      },
    ];
  });
}

/** Fields of one CSV line in which every field is quoted. */
const parseCsv = (line: string): string[] =>
  Array.from(line.matchAll(/"((?:[^"]|"")*)"/g), ([, field = '']) => field.replaceAll('""', '"'));

/** Parses `tasklist /v /fo csv /nh`: name, pid, session, number, memory, status, user, processor time, window title. */
export function parseTasklist(text: string): RawProcess[] {
  return text.split(/\r?\n/).flatMap((line): RawProcess[] => {
    const [name = '', pid = '', , , memory = '', state = '', user = '', time = ''] = parseCsv(line);
    if (!/^\d+$/.test(pid)) return [];
    return [
      {
        pid: Number(pid),
        parentPid: null,
        name,
        arguments: () => Promise.resolve([name]),
        user: user === '' || user === 'N/A' ? null : user,
        state: state.toLowerCase(),
        // The thousands separator depends on the language of Windows.
        memoryBytes: Number(memory.replaceAll(/\D/g, '')) * 1024,
        threads: null,
        startedAtMs: null,
        cpuMs: parseClock(time),
        birth: name,
      },
    ];
  });
}

export async function readListedProcesses(signal: AbortSignal): Promise<RawProcess[]> {
  if (process.platform === 'win32')
    return parseTasklist(await runProgram('tasklist', ['/v', '/fo', 'csv', '/nh'], signal));
  return parsePs(await runProgram('ps', ['-axww', '-o', psColumns], signal), Date.now());
}
