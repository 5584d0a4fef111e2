/** What differs between two states: files with counts, and the patch, cut at a limit. */

import { z } from 'zod';
import type { Repository } from './repository.ts';

const kinds = {
  A: 'added',
  M: 'modified',
  D: 'deleted',
  R: 'renamed',
  C: 'copied',
  T: 'type-changed',
  U: 'unmerged',
} as const;

export const fileChangeShape = z.object({
  path: z.string().describe('Path inside the repository.'),
  change: z
    .enum(['added', 'modified', 'deleted', 'renamed', 'copied', 'type-changed', 'unmerged'])
    .describe('What happened to it.'),
  from: z.string().optional().describe('Former path of a renamed or copied file.'),
  additions: z.number().int().nullable().describe('Lines added; null for a binary file.'),
  deletions: z.number().int().nullable().describe('Lines removed; null for a binary file.'),
});
export type FileChange = z.output<typeof fileChangeShape>;

export const changesFields = {
  files: z.array(fileChangeShape).describe('Files that differ.'),
  patch: z.string().describe('Unified diff; empty when only statistics were asked for.'),
  truncated: z.boolean().describe('True when the patch or the list of files was cut.'),
};

const maxFiles = 3000;

/** Reads one `--raw` record's letter; the caller takes the paths that follow it. */
const letterOf = (record: string): keyof typeof kinds =>
  (record.split(' ')[4]?.charAt(0) ?? 'M') as keyof typeof kinds;

/** Parses `--raw --numstat -z`: all raw records first, then one numstat record a file. */
export function parseChanges(text: string): FileChange[] {
  const values = text.split('\0');
  const files = new Map<string, FileChange>();
  let at = 0;
  for (; values[at]?.startsWith(':') === true;) {
    const letter = letterOf(values[at] ?? '');
    const isMoved = letter === 'R' || letter === 'C';
    const first = values[at + 1] ?? '';
    const path = isMoved ? (values[at + 2] ?? '') : first;
    const change = kinds[letter] ?? 'modified';
    // A file in conflict is listed twice, first as unmerged, which is what matters.
    if (!files.has(path))
      files.set(path, { path, change, ...(isMoved && { from: first }), additions: null, deletions: null });
    at += isMoved ? 3 : 2;
  }
  while (at < values.length) {
    const [added = '', removed = '', path = ''] = values[at]?.split('\t') ?? [];
    const isMoved = path === '' && added !== '';
    const target = files.get(isMoved ? (values[at + 2] ?? '') : path);
    if (target && added !== '-' && added !== '')
      [target.additions, target.deletions] = [Number(added), Number(removed)];
    at += isMoved ? 3 : 1;
  }
  return [...files.values()];
}

/** `git diff`, `git show` and the like never run programs a repository names. */
export const safeDiffOptions = ['--no-ext-diff', '--no-textconv', '--no-color', '--ignore-submodules=all'];

/** Runs a diff command twice: for the list of files, and for the patch. */
export async function readChanges(
  repository: Repository,
  command: readonly string[],
  options: { rest: readonly string[]; patch: boolean; maxBytes: number; contextLines?: number },
): Promise<{ files: FileChange[]; patch: string; truncated: boolean }> {
  const list = await repository.read([
    ...command,
    ...safeDiffOptions,
    '-M',
    '--raw',
    '--numstat',
    '-z',
    ...options.rest,
  ]);
  const files = parseChanges(list.text.slice(0, list.text.lastIndexOf('\0')).replace(/^\n/, ''));
  const shown = files.slice(0, maxFiles);
  const isCut = list.truncated || shown.length < files.length;
  if (!options.patch) return { files: shown, patch: '', truncated: isCut };
  const context = options.contextLines === undefined ? [] : [`--unified=${options.contextLines}`];
  const { text, truncated } = await repository.read(
    [...command, ...safeDiffOptions, '-M', '--patch', ...context, ...options.rest],
    { maxBytes: options.maxBytes },
  );
  return { files: shown, patch: text.replace(/^\n/, ''), truncated: truncated || isCut };
}
