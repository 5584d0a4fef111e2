/** The guardrails on what servers say about their tools: counted and logged once, and named to whoever holds them back. */

import type { JsonObject } from '../kernel/json-rpc.ts';
import type { Logger } from '../kernel/log.ts';
import type { OnFinding } from '../kernel/observations.ts';
import type { Guardrails } from './compile-guardrails.ts';
import { type Found, inspectValue } from './inspect-value.ts';

/** Why something a server offers is held back; `tool` is absent for its instructions. */
export interface Suspicion {
  readonly tool?: string;
  readonly guardrail: string;
  readonly rule: string;
  readonly field: string;
}

/** Definitions of built-in servers change with the program only. */
export interface DefinitionSource {
  readonly id: string;
  readonly source: string;
}

export interface DefinitionGuard {
  /** What has to be held back of an offer until somebody approves it. */
  suspect(
    server: DefinitionSource,
    tools: readonly JsonObject[],
    instructions: string | undefined,
  ): readonly Suspicion[];
}

const isOurs: ReadonlySet<string> = new Set(['built-in', 'deployed']);

export function createDefinitionGuard(
  guardrails: Guardrails,
  { logger, onFinding }: { readonly logger: Logger; readonly onFinding?: OnFinding },
): DefinitionGuard {
  /** What was last told of a server, so that a list that is read again is not news. */
  const told = new Map<string, string>();

  function tell(server: string, name: string, { watch, rule, field, count }: Found): void {
    const outcome = watch.action === 'block' ? 'blocked' : 'allowed';
    const finding = {
      guardrail: watch.guardrail.name,
      rule,
      direction: 'definitions',
      field,
      count,
    } as const;
    onFinding?.({ ...finding, outcome, server, name });
    logger.warn({ server, tool: name, ...finding, outcome }, 'a definition looks as if it steers the model');
  }

  return {
    suspect({ id: server, source }, tools, instructions) {
      if (!guardrails.readsDefinitions || isOurs.has(source)) return [];
      const found: [string, Found][] = [];
      const look = (name: string, value: unknown, root: string): void => {
        const watches = guardrails.watchesOf(server, name, 'definitions');
        const inspection =
          watches.length === 0 ? undefined : inspectValue(value, watches, 'definitions', root);
        for (const one of inspection?.found ?? []) found.push([name, one]);
      };
      for (const tool of tools) look(String(tool['name']), tool, '');
      look('', instructions, 'instructions');
      const news = JSON.stringify(found.map(([name, { rule, field }]) => [name, rule, field]));
      if ((told.get(server) ?? '[]') !== news) {
        told.set(server, news);
        for (const [name, one] of found) tell(server, name, one);
      }
      return found.flatMap(([name, { watch, rule, field }]) =>
        watch.action === 'block'
          ? [{ ...(name !== '' && { tool: name }), guardrail: watch.guardrail.name, rule, field }]
          : [],
      );
    },
  };
}
