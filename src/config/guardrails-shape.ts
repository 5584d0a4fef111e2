/** What looks at arguments, results and definitions, as the config says it. */

import { z } from 'zod';
import { guardrailActions, wholeActions } from '../kernel/guardrail-options.ts';

const patterns = z.array(z.string().min(1)).default([]);

/** Fields that every guardrail has. */
const scopeFields = {
  servers: patterns.describe(
    'Ids of the servers it looks at, with * at the end their beginnings; all when empty.',
  ),
  tools: patterns.describe("The servers' own names of the tools it looks at, likewise; all when empty."),
  exceptServers: patterns.describe('Servers that it leaves alone.'),
  exceptTools: patterns.describe('Tools that it leaves alone.'),
  ignore: patterns.describe('Its rules that are left out, as findings name them.'),
};

const textActions = {
  action: z
    .enum(guardrailActions)
    .default('off')
    .describe(
      "What is done: `off`, `allow` (count only), `redact`, `ask` (the client's user; `block` where nobody can be asked) or `block`.",
    ),
  arguments: z
    .enum(guardrailActions)
    .optional()
    .describe('What is done about arguments instead.')
    .meta({ examples: ['block'] }),
  results: z
    .enum(guardrailActions)
    .optional()
    .describe('What is done about results instead.')
    .meta({ examples: ['redact'] }),
};

const wholeAction = z.enum(wholeActions);

const textShape = z.strictObject({ ...textActions, ...scopeFields });

const sizeShape = z.strictObject({
  action: wholeAction.default('block').describe('What is done about what is too large.'),
  maxBytes: z
    .int()
    .min(1)
    .default(67_108_864)
    .describe(
      'Most bytes of all texts and member names together, in the arguments or the result of one call.',
    ),
  maxDepth: z.int().min(1).max(1000).default(128).describe('Most lists and objects inside each other.'),
  maxMembers: z.int().min(1).default(1_000_000).describe('Most values in lists and objects, altogether.'),
  ...scopeFields,
});

const pathShape = z.strictObject({
  action: wholeAction.default('off').describe('What is done about a path or URL that breaks a rule.'),
  roots: patterns.describe('Folders that absolute paths must lie in; any place when empty.'),
  schemes: z
    .array(z.string().min(1))
    .default(['http', 'https', 'ws', 'wss', 'mailto', 'git', 'ssh', 's3', 'gs'])
    .describe('Schemes that URLs may have.'),
  allowHosts: patterns.describe('Hosts that may be private: `name`, `name:port`, `*.suffix` or an address.'),
  allowPrivate: z.boolean().default(false).describe('Let URLs point into private networks.'),
  ...scopeFields,
});

const customShape = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .describe(
      'Regular expression. Repetitions need an upper bound and are of single characters or classes; no groups are repeated.',
    ),
  ignoreCase: z.boolean().default(false).describe('Capital and small letters are the same.'),
  ...textActions,
  action: z.enum(guardrailActions).default('allow').describe('What is done about a match.'),
  ...scopeFields,
});

/** Each by its name; all are off but the bounds. */
export const guardrailsShape = z.strictObject({
  secretLeak: textShape.prefault({}).describe('Keys, tokens and passwords.'),
  personalData: textShape.prefault({}).describe('E-mail, phone, national id, cards, IBAN, passports.'),
  injection: z
    .strictObject({
      ...textActions,
      definitions: z
        .enum(['off', 'allow', 'block'])
        .optional()
        .describe(
          'What is done about definitions of tools instead; `block` holds them back until `servers approve`.',
        )
        .meta({ examples: ['block'] }),
      ...scopeFields,
    })
    .prefault({})
    .describe('Text that tries to steer the model, in results and definitions.'),
  sizeAndDepth: sizeShape.prefault({}).describe('Bounds on arguments and results.'),
  pathsAndUrls: pathShape.prefault({}).describe('Arguments that are paths or URLs.'),
  custom: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/), customShape)
    .default({})
    .describe('Rules of your own by name.')
    .meta({ examples: [{ ticket: { pattern: 'TICKET-\\d{4,8}', action: 'redact' } }] }),
});
