/** What each kind of part must have; a further kind is one more shape and its row in `load-plugins.ts`. */

import { z } from 'zod';
import { isKnownCategory } from '../categories.ts';

const isFunction = z.custom((value) => typeof value === 'function', { error: 'must be a function' });
const partName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, { error: 'must be kebab-case and at most 64 characters' });

export const serverPart = z.looseObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,23}$/, { error: 'must be kebab-case and at most 24 characters' }),
  title: z.string().min(1),
  version: z.string().min(1),
  category: z.string().refine(isKnownCategory, { error: 'is no category' }),
  port: z.int().min(1).max(65_535),
  tools: z.array(z.looseObject({ name: z.string(), run: isFunction })),
});

export const policyPart = z.looseObject({ name: partName, create: isFunction });

export const exporterPart = z.looseObject({ name: partName, start: isFunction });
