/** Shapes of what callers hand to Git: nothing that Git could take for an option. */

import { z } from 'zod';
import { ToolError } from '../../../kernel/define-server.ts';
import type { Repository } from './repository.ts';

const hasControl = (text: string): boolean => /\p{Cc}/u.test(text);

/** A revision to read: branch, tag, commit id, `HEAD~2`. */
export const revisionShape = z
  .string()
  .min(1)
  .max(250)
  .refine((text) => !text.startsWith('-'), { error: 'must not start with "-"' })
  .refine((text) => !hasControl(text) && !text.includes(' ') && !text.includes('..'), {
    error: 'must be one revision without spaces, control characters or ".."',
  })
  .describe('A branch, tag, commit id, or an expression such as HEAD~2.');

/** Rules of git-check-ref-format(1) for a branch or tag name. */
function isRefName(name: string): boolean {
  return (
    !hasControl(name) &&
    !/[ ~^:?*[\\]|\.\.|@\{|\/\/|^@$|^[-/]|[./]$/.test(name) &&
    name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
  );
}

/** The name of a branch or tag to be made. */
export const refNameShape = z
  .string()
  .min(1)
  .max(200)
  .refine(isRefName, {
    error:
      'must be a valid name: no spaces, "..", "~", "^", ":", "?", "*", "[", "\\", no leading "-" or ".", no trailing "/", "." or ".lock"',
  })
  .refine((name) => name !== 'HEAD' && !/^[0-9a-f]{40}$/.test(name), {
    error: 'must not be HEAD or look like a commit id',
  })
  .describe('Name, e.g. "feature/login" or "v1.2.0".');

function isRelativePath(path: string): boolean {
  const parts = path.split(/[/\\]/);
  return (
    !path.startsWith('/') &&
    !path.startsWith('\\') &&
    !/^[a-z]:/i.test(path) &&
    !parts.includes('..') &&
    !/^\.git$/i.test(parts[0] ?? '')
  );
}

export const pathShape = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => !path.includes('\0'), { error: 'must not contain NUL' })
  .refine(isRelativePath, {
    error: 'must be a path inside the repository: relative, without ".." and outside .git',
  })
  .describe('Path of a file or folder inside the repository, e.g. "src/main.ts"; taken literally.');

export const pathsShape = z
  .array(pathShape)
  .min(1)
  .max(1000)
  .describe('Paths of files or folders, taken literally.');

/** The commit id behind a revision; ToolError names the field when there is none. */
export async function commitOf(repository: Repository, revision: string, field: string): Promise<string> {
  const { text, code } = await repository.read(['rev-parse', '--verify', '--quiet', `${revision}^{commit}`], {
    okCodes: [1, 128],
  });
  const commit = text.trim();
  if (code === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit;
  const hint =
    revision === 'HEAD'
      ? 'there is no commit yet; make one with git_commit'
      : 'git_branch, git_tag and git_log show what there is';
  throw new ToolError(`${field}: no commit "${revision}"; ${hint}`);
}
