import { expect, test } from 'vitest';
import { AppError } from '../kernel/errors.ts';
import { silentLogger } from '../kernel/log.ts';
import { toProblem } from './problem.ts';

test('what went wrong inside is told under an id, and in nothing else', () => {
  const logged: unknown[] = [];
  const logger = { ...silentLogger, error: (facts: unknown) => void logged.push(facts) };
  const cause = new Error('password "hunter2" for /srv/secret was refused');
  const problem = toProblem(cause, logger);
  expect(JSON.stringify(problem)).not.toMatch(/hunter2|srv|stack|at /);
  expect(problem).toMatchObject({ status: 500, code: 'INTERNAL', id: expect.stringMatching(/^\w+$/) });
  expect(logged).toHaveLength(1);
});

test('an error of ours says what is wrong and where', () => {
  const problem = toProblem(
    new AppError('INVALID_INPUT', { field: 'body.name', problem: 'is empty' }),
    silentLogger,
  );
  expect(problem).toMatchObject({ status: 400, code: 'INVALID_INPUT', detail: 'body.name: is empty' });
});
