/** Commits as data, through a NUL-separated format: no name, subject or body can break it. */

import { z } from 'zod';

export const commitShape = z.object({
  commit: z.string().describe('Commit id.'),
  parents: z.array(z.string()).describe('Ids of its parents.'),
  author: z.string().describe('Name of the author.'),
  email: z.string().describe('Mail address of the author.'),
  authoredAt: z.string().describe('ISO 8601 time at which it was written.'),
  committer: z.string().describe('Name of who committed it.'),
  committedAt: z.string().describe('ISO 8601 time at which it was committed.'),
  refs: z.array(z.string()).describe('Branches and tags that point at it.'),
  subject: z.string().describe('First line of the message.'),
  body: z.string().describe('Rest of the message.'),
});
export type Commit = z.output<typeof commitShape>;

const fields = ['%H', '%P', '%an', '%ae', '%aI', '%cn', '%cI', '%D', '%s', '%b'];
/** For `log` and `show` with `-z`. */
export const commitFormat = `--format=tformat:${fields.join('%x00')}`;

/** Parses `log -z` in `commitFormat`; a cut last record is dropped. */
export function parseCommits(text: string): Commit[] {
  const values = text.split('\0');
  const commits: Commit[] = [];
  for (let at = 0; at + fields.length < values.length; at += fields.length) {
    const [
      commit = '',
      parents = '',
      author = '',
      email = '',
      authoredAt = '',
      committer = '',
      committedAt = '',
      refs = '',
      subject = '',
      body = '',
    ] = values.slice(at, at + fields.length);
    commits.push({
      commit,
      parents: parents === '' ? [] : parents.split(' '),
      author,
      email,
      authoredAt,
      committer,
      committedAt,
      refs: refs === '' ? [] : refs.split(', '),
      subject,
      body: body.trimEnd(),
    });
  }
  return commits;
}
