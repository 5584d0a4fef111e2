/** Settings of the image server. */

import { z } from 'zod';
import type { ToolContext } from '../../kernel/define-server.ts';

const megabyte = 1024 * 1024;

export const imageSettingsShape = z
  .strictObject({
    maxInputBytes: z
      .number()
      .int()
      .min(1024)
      .max(500 * megabyte)
      .default(20 * megabyte)
      .describe('Largest image file taken, in bytes.'),
    maxPixels: z
      .number()
      .int()
      .min(10_000)
      .max(500_000_000)
      .default(40_000_000)
      .describe('Most pixels of an image, read or made; all frames of an animation together.'),
    maxInlineBytes: z
      .number()
      .int()
      .min(0)
      .max(20 * megabyte)
      .default(megabyte)
      .describe('Largest result returned inside the answer; a larger one must be saved to a file.'),
    timeoutMs: z
      .number()
      .int()
      .min(1000)
      .max(600_000)
      .default(20_000)
      .describe('Milliseconds that one operation may take.'),
  })
  .prefault({});

export type ImageSettings = z.output<typeof imageSettingsShape>;
export type ImageContext = ToolContext<ImageSettings>;
