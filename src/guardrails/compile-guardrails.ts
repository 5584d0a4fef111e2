/** The guardrails of a config, and which of them look at what. */

import type {
  GuardrailAction,
  GuardrailDirection,
  GuardrailSettings,
  GuardrailsSettings,
} from '../kernel/guardrail-options.ts';
import { matchesAny } from '../kernel/name-patterns.ts';
import { createCustomRule } from './custom-rule.ts';
import type { Guardrail } from './guardrail.ts';
import { createInjection } from './injection.ts';
import type { Watch } from './inspect-value.ts';
import { createPathsAndUrls } from './paths-and-urls.ts';
import { createPersonalData } from './personal-data.ts';
import { createSecretLeak } from './secret-leak.ts';
import { createSizeAndDepth } from './size-and-depth.ts';

export interface Guardrails {
  /** Those that look at a tool's traffic in this direction; empty when none does. */
  watchesOf(server: string, name: string, direction: GuardrailDirection): readonly Watch[];
  /** True when none looks at anything. */
  readonly isOff: boolean;
  /** True when some look at definitions. */
  readonly readsDefinitions: boolean;
}

interface Row {
  readonly guardrail: Guardrail;
  readonly watches: Readonly<Partial<Record<GuardrailDirection, Watch>>>;
  applies(server: string, name: string): boolean;
}

const directions: readonly GuardrailDirection[] = ['arguments', 'results', 'definitions'];
/** Where nothing can be taken out and nobody asked, what would be is only counted. */
function actionOf(
  direction: GuardrailDirection,
  settings: GuardrailSettings & { readonly definitions?: GuardrailAction | undefined },
): GuardrailAction {
  if (direction !== 'definitions') return settings[direction] ?? settings.action;
  if (settings.definitions !== undefined) return settings.definitions;
  return settings.action === 'redact' || settings.action === 'ask' ? 'allow' : settings.action;
}

function rowOf(guardrail: Guardrail, settings: GuardrailSettings): Row {
  const ignore = new Set(settings.ignore);
  const watches: Partial<Record<GuardrailDirection, Watch>> = {};
  for (const direction of directions) {
    const action = actionOf(direction, settings);
    if (action !== 'off' && guardrail.directions.includes(direction)) {
      watches[direction] = { guardrail, action, ignore };
    }
  }
  const [ofServers, ofTools] = [matchesAny(settings.servers), matchesAny(settings.tools)];
  const [exceptServers, exceptTools] = [matchesAny(settings.exceptServers), matchesAny(settings.exceptTools)];
  return {
    guardrail,
    watches,
    applies: (server, name) =>
      (settings.servers.length === 0 || ofServers(server)) &&
      (settings.tools.length === 0 || ofTools(name)) &&
      !exceptServers(server) &&
      !exceptTools(name),
  };
}

/** Names of tools come from clients: so many answers are kept. */
const maxKept = 10_000;

/** Throws CONFIG_INVALID for a custom pattern that could take long. */
export function compileGuardrails(settings: GuardrailsSettings): Guardrails {
  const rows = [
    rowOf(createSizeAndDepth(settings.sizeAndDepth), settings.sizeAndDepth),
    rowOf(createSecretLeak(), settings.secretLeak),
    rowOf(createPersonalData(), settings.personalData),
    rowOf(createInjection(), settings.injection),
    rowOf(createPathsAndUrls(settings.pathsAndUrls), settings.pathsAndUrls),
    ...Object.entries(settings.custom).map(([name, custom]) => rowOf(createCustomRule(name, custom), custom)),
  ].filter(({ watches }) => Object.keys(watches).length > 0);
  const kept = new Map<string, readonly Watch[]>();
  const none: readonly Watch[] = [];

  return {
    isOff: rows.length === 0,
    readsDefinitions: rows.some(({ watches }) => watches.definitions),
    watchesOf(server, name, direction) {
      const key = `${direction} ${server} ${name}`;
      const known = kept.get(key);
      if (known) return known;
      if (kept.size >= maxKept) kept.clear();
      const found = rows.flatMap((row) => {
        const watch = row.watches[direction];
        return watch && row.applies(server, name) ? [watch] : [];
      });
      kept.set(key, found.length === 0 ? none : found);
      return found;
    },
  };
}
