/** A policy from a file in YAML or JSON; what is wrong in it is told with its line. */

import { isCollection, isNode, LineCounter, parseDocument } from 'yaml';
import { type Policy, policyShape } from '../../contract/policy-shape.ts';
import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import { readInput } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { ProblemError } from '../print-error.ts';

export interface PolicyFile {
  readonly policy: Policy;
  /** Runs what sends the policy; an error that names a field of it is told with file and line. */
  telling<T>(work: () => Promise<T>): Promise<T>;
}

const maxAliases = 50;

/** Throws INVALID_INPUT for a file that cannot be read, CONFIG_INVALID with the line of the first fault. */
export async function readPolicy(path: string, context: CliContext): Promise<PolicyFile> {
  const text = await readInput(path, context, 'file');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineOf = (offset: number | undefined) => (offset === undefined ? 1 : lines.linePos(offset).line);
  const fault = (line: number, problem: string, cause?: unknown) =>
    new AppError('CONFIG_INVALID', { file: `${path}:${line}`, problem }, { cause });
  const [broken] = document.errors;
  if (broken) throw fault(lineOf(broken.pos[0]), broken.message);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    throw fault(1, messageOf(error), error);
  }

  /** The line of a field, or of the nearest one around it that is there. */
  function locate(field: readonly PropertyKey[]): number {
    for (let depth = field.length; depth > 0; depth -= 1) {
      const steps = field.slice(0, depth).map((step) => (/^\d+$/.test(String(step)) ? Number(step) : step));
      const parent = depth === 1 ? document.contents : document.getIn(steps.slice(0, -1), true);
      const node = isCollection(parent) ? document.getIn(steps, true) : undefined;
      if (isNode(node) && node.range) return lineOf(node.range[0]);
    }
    return 1;
  }

  const parsed = policyShape.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path ?? [];
    const extra = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const name = [...field, ...extra].join('.') || 'the file';
    throw fault(locate([...field, ...extra]), `${name}: ${issue?.message ?? 'is invalid'}`);
  }
  return {
    policy: parsed.data,
    async telling(work) {
      try {
        return await work();
      } catch (error) {
        const data = error instanceof ProblemError ? error.problem.data : isAppError(error) ? error.data : {};
        const { field, problem } = data ?? {};
        if (typeof field !== 'string' || !/^(?:roles|tests)\b/.test(field)) throw error;
        throw fault(locate(field.split('.')), `${field}: ${String(problem)}`, error);
      }
    },
  };
}
