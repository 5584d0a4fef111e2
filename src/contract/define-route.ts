/** REST routes as data: the HTTP edge serves them, the CLI calls them, OpenAPI derives from them. */

import type { z } from 'zod';
import type { Action } from '../kernel/actions.ts';

export interface RouteDefinition {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Path with `:name` parameters; a last `*` takes the rest, slashes included. */
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly response: z.ZodType;
  /** What the caller must be allowed to do; else it follows from the path and `needs`. */
  readonly action?: Action;
  /** The verb of the path's noun; `read` for GET and `manage` for all else unless said. */
  readonly needs?: 'read' | 'manage' | 'own';
  /** For everybody who may come in, whatever their role. */
  readonly isForAll?: true;
  /**
   * In the audit log: `elsewhere`, what it leads to is noted there; `urgent`, it is let through while the log cannot be
   * written. Otherwise all but GET is noted, before and after.
   */
  readonly audit?: 'elsewhere' | 'urgent';
}

export function defineRoute<const R extends RouteDefinition>(route: R): R {
  return route;
}
