/** Merging: conflicts come back as data, and a merge is never left half done unless the caller asks for it. */

import { z } from 'zod';
import { defineTool, ToolError } from '../../../kernel/define-server.ts';
import { safeDiffOptions } from './changes.ts';
import { commitOf, revisionShape } from './input-shapes.ts';
import { openWorkTree, type Repository } from './repository.ts';
import { repositoryShape } from './roots.ts';
import type { GitContext } from './settings.ts';
import { conflictShape, operationOf, statusOf } from './status.ts';

const maxDiffBytes = 20_000;
const maxConflicts = 100;

const conflictDetailShape = conflictShape.extend({
  base: z.string().nullable().describe('Blob id in the common ancestor; null if it was not there.'),
  ours: z.string().nullable().describe('Blob id on our side; null if it was deleted here.'),
  theirs: z.string().nullable().describe('Blob id on their side; null if it was deleted there.'),
  diff: z
    .string()
    .describe('Combined diff with the conflicting lines, cut at 20 KB; empty for binary files.'),
});
type ConflictDetail = z.output<typeof conflictDetailShape>;

const outputShape = z.object({
  result: z
    .enum(['up-to-date', 'fast-forward', 'merged', 'conflicts', 'aborted'])
    .describe('What came of it. conflicts: nothing was merged unless halfDone is true.'),
  commit: z.string().describe('Commit that HEAD is on now.'),
  before: z.string().describe('Commit that HEAD was on before; git_reset to it undoes the merge.'),
  conflicts: z.array(conflictDetailShape).describe('Files in conflict; at most 100.'),
  halfDone: z.boolean().describe('True when the merge waits for its conflicts to be settled.'),
});

/** Blob ids by path and stage (1 base, 2 ours, 3 theirs) of what is unmerged. */
async function stagesOf(repository: Repository): Promise<Map<string, Map<string, string>>> {
  const { text } = await repository.read(['ls-files', '--unmerged', '-z']);
  const stages = new Map<string, Map<string, string>>();
  for (const row of text.split('\0')) {
    const [, blob, stage, path] = /^\d+ ([0-9a-f]+) ([123])\t(.*)$/s.exec(row) ?? [];
    if (blob === undefined || stage === undefined || path === undefined) continue;
    stages.set(path, (stages.get(path) ?? new Map<string, string>()).set(stage, blob));
  }
  return stages;
}

async function readConflicts(repository: Repository): Promise<ConflictDetail[]> {
  const { conflicts } = await statusOf(repository);
  const stages = await stagesOf(repository);
  const details: ConflictDetail[] = [];
  for (const conflict of conflicts.slice(0, maxConflicts)) {
    const blobs = stages.get(conflict.path);
    const { text } = await repository.read(['diff', ...safeDiffOptions, '--', conflict.path], {
      maxBytes: maxDiffBytes,
    });
    details.push({
      ...conflict,
      base: blobs?.get('1') ?? null,
      ours: blobs?.get('2') ?? null,
      theirs: blobs?.get('3') ?? null,
      diff: text.startsWith('Binary') ? '' : text,
    });
  }
  return details;
}

/** For steps that must not be cut short: a merge ended in its middle leaves files that belong to neither side. */
const neverAborted = new AbortController().signal;

/** Gives up a merge that is half done, if there is one. */
async function abortMerge(repository: Repository): Promise<void> {
  if ((await operationOf(repository)) !== 'merge') return;
  await repository.change(['merge', '--abort'], { signal: neverAborted });
}

const mergeInput = z.strictObject({
  repository: repositoryShape,
  action: z
    .enum(['merge', 'abort'])
    .default('merge')
    .describe('abort gives up a merge that is half done; default merge.'),
  from: revisionShape.optional().describe('Branch, tag or commit to merge into the current branch.'),
  message: z
    .string()
    .trim()
    .min(1)
    .max(10_000)
    .refine((text) => !text.includes('\0'), { error: 'must not contain NUL' })
    .optional()
    .describe('Message of the merge commit.'),
  fastForward: z
    .enum(['allow', 'never', 'only'])
    .default('allow')
    .describe('never always makes a merge commit; only refuses to make one.'),
  onConflict: z
    .enum(['abort', 'keep'])
    .default('abort')
    .describe(
      'abort (default) leaves everything as it was; keep leaves the conflicts in the files to be settled with git_add and git_commit.',
    ),
});

async function merge(
  repository: Repository,
  args: z.output<typeof mergeInput>,
): Promise<z.output<typeof outputShape>> {
  if (args.from === undefined) throw new ToolError('from: is needed: the branch, tag or commit to merge');
  const operation = await operationOf(repository);
  if (operation !== null)
    throw new ToolError(
      `a ${operation} is half done; finish it with git_add and git_commit, or give up a merge with action "abort"`,
    );
  const before = await commitOf(repository, 'HEAD', 'repository');
  const other = await commitOf(repository, args.from, 'from');
  const { text: fork } = await repository.read(['merge-base', before, other], { okCodes: [1] });
  const forwards = { allow: '--ff', never: '--no-ff', only: '--ff-only' };
  const message = args.message ?? `Merge ${args.from}`;
  const command = [
    'merge',
    '--quiet',
    '--no-edit',
    '--no-verify-signatures',
    forwards[args.fastForward],
    '-m',
    message,
    other,
  ];
  let isKept = false;
  try {
    const { code, stderr } = await repository.change(command, { okCodes: [1], signal: neverAborted });
    if (code === 0) {
      const commit = await commitOf(repository, 'HEAD', 'repository');
      const isForward = commit === other && fork.trim() === before;
      const result = commit === before ? 'up-to-date' : isForward ? 'fast-forward' : 'merged';
      return { result, commit, before, conflicts: [], halfDone: false };
    }
    const conflicts = await readConflicts(repository);
    if (conflicts.length === 0) throw new ToolError(`git merge failed: ${stderr || 'no message'}`);
    isKept = args.onConflict === 'keep';
    return { result: 'conflicts', commit: before, before, conflicts, halfDone: isKept };
  } finally {
    if (!isKept) await abortMerge(repository);
  }
}

const gitMerge = defineTool({
  name: 'git_merge',
  title: 'Merge',
  description:
    'Merges a branch, tag or commit into the current branch. On conflicts it returns them as data (paths, kinds, blob ids, conflicting lines) and by default undoes the attempt, so that nothing is left half done; onConflict keep leaves them in the files to be settled.',
  input: mergeInput,
  output: outputShape,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  async run(args, context: GitContext) {
    const repository = await openWorkTree(context, args.repository);
    if (args.action === 'merge') return merge(repository, args);
    if ((await operationOf(repository)) !== 'merge')
      throw new ToolError('action: no merge is half done, so there is nothing to abort');
    await abortMerge(repository);
    const commit = await commitOf(repository, 'HEAD', 'repository');
    return { result: 'aborted' as const, commit, before: commit, conflicts: [], halfDone: false };
  },
});

export const mergeTools = [gitMerge];
