/** `git blame --porcelain` as runs of lines that came with one commit (git-blame(1), "The Porcelain Format"). */

import { z } from 'zod';

export const blameRunShape = z.object({
  startLine: z.number().int().describe('First line of the run, from 1.'),
  lines: z.array(z.string()).describe('Text of its lines.'),
  commit: z.string().nullable().describe('Commit they came with; null when not yet committed.'),
  author: z.string().describe('Who wrote them.'),
  email: z.string().describe('Mail address of the author.'),
  at: z.string().describe('ISO 8601 time.'),
  summary: z.string().describe('First line of the commit message.'),
});
export type BlameRun = z.output<typeof blameRunShape>;

interface Facts {
  author: string;
  email: string;
  at: string;
  summary: string;
}

const notCommitted = /^0+$/;

function learn(facts: Facts, line: string): void {
  const space = line.indexOf(' ');
  const [key, value] = [line.slice(0, space), line.slice(space + 1)];
  if (key === 'author') facts.author = value;
  if (key === 'author-mail') facts.email = value.replace(/^<(.*)>$/, '$1');
  if (key === 'author-time') facts.at = new Date(Number(value) * 1000).toISOString();
  if (key === 'summary') facts.summary = value;
}

export function parseBlame(text: string): BlameRun[] {
  const known = new Map<string, Facts>();
  const runs: BlameRun[] = [];
  let [commit, lineNumber] = ['', 0];
  for (const line of text.split('\n')) {
    const header = /^([0-9a-f]{40,64}) \d+ (\d+)/.exec(line);
    if (line.startsWith('\t')) {
      const last = runs.at(-1);
      const id = notCommitted.test(commit) ? null : commit;
      if (last && last.commit === id && last.startLine + last.lines.length === lineNumber)
        last.lines.push(line.slice(1));
      else
        runs.push({
          startLine: lineNumber,
          lines: [line.slice(1)],
          commit: id,
          author: '',
          email: '',
          at: '',
          summary: '',
        });
    } else if (header) {
      [commit, lineNumber] = [header[1] ?? '', Number(header[2])];
      if (!known.has(commit)) known.set(commit, { author: '', email: '', at: '', summary: '' });
    } else {
      const facts = known.get(commit);
      if (facts) learn(facts, line);
    }
  }
  const zero = [...known.keys()].find((id) => notCommitted.test(id)) ?? '';
  return runs.map((run) => ({ ...run, ...known.get(run.commit ?? zero) }));
}
