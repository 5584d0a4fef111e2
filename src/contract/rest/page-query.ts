/** The query of listings that come a page at a time. */

import { z } from 'zod';

/** Position and length of a page. */
export const pageQuery = {
  cursor: z.string().max(4096).optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional().describe('Default 100.'),
};
