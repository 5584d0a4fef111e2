/** Image tools that change format and appearance. */

import type { Sharp } from 'sharp';
import { z } from 'zod';
import { defineTool, ToolError } from '../../kernel/define-server.ts';
import { outputFields, produce, resultShape } from './image-result.ts';
import type { ImageContext } from './image-settings.ts';
import { writesImage } from './image-shape-tools.ts';
import { imageShape, loadImage } from './image-source.ts';

export const convert = defineTool({
  name: 'convert',
  title: 'Convert an image',
  description:
    'Write an image in another format or quality, or save it under a name. Metadata such as GPS position is removed. ' +
    'webp and avif are smallest, png is lossless, jpeg loses transparency (white instead). GIF and WebP stay animated.',
  input: z.strictObject({ image: imageShape, ...outputFields }),
  output: resultShape,
  annotations: writesImage,
  run: async (args, context: ImageContext) =>
    produce(await loadImage(args.image, context), args, context, (pipeline) => pipeline, true),
});

const factor = z.number().min(0).max(10);

export const adjust = defineTool({
  name: 'adjust',
  title: 'Adjust an image',
  description:
    'Change how an image looks: brightness, saturation, hue, gamma, contrast, blur, sharpness, grayscale, negative. Give ' +
    'any of them together; 1 leaves a factor as it is.',
  input: z.strictObject({
    image: imageShape,
    brightness: factor.optional().describe('Factor of brightness, 0 to 10.'),
    saturation: factor.optional().describe('Factor of saturation, 0 to 10; 0 is gray.'),
    hue: z.number().int().min(-360).max(360).optional().describe('Degrees to turn the colours by.'),
    gamma: z
      .number()
      .min(1)
      .max(3)
      .optional()
      .describe('Gamma correction, 1 to 3; brightens the middle tones.'),
    contrast: z.number().min(0).max(5).optional().describe('Factor of contrast around middle gray, 0 to 5.'),
    stretch: z.boolean().default(false).describe('Stretch the tones to the full range.'),
    blur: z.number().min(0.3).max(100).optional().describe('Gaussian blur, sigma in pixels.'),
    sharpen: z.number().min(0.1).max(10).optional().describe('Sharpen, sigma in pixels.'),
    grayscale: z.boolean().default(false).describe('Remove the colours.'),
    negate: z.boolean().default(false).describe('Invert the colours, not the transparency.'),
    ...outputFields,
  }),
  output: resultShape,
  annotations: writesImage,
  run: async (args, context: ImageContext) => {
    const steps = stepsOf(args);
    if (steps.length === 0)
      throw new ToolError('brightness, blur, grayscale …: give at least one adjustment');
    return produce(await loadImage(args.image, context), args, context, (pipeline) =>
      steps.reduce((changed, step) => step(changed), pipeline),
    );
  },
});

interface Adjustments {
  readonly brightness?: number;
  readonly saturation?: number;
  readonly hue?: number;
  readonly gamma?: number;
  readonly contrast?: number;
  readonly stretch: boolean;
  readonly blur?: number;
  readonly sharpen?: number;
  readonly grayscale: boolean;
  readonly negate: boolean;
}

function stepsOf(wish: Adjustments): ((image: Sharp) => Sharp)[] {
  const { brightness, saturation, hue, gamma, contrast, blur, sharpen } = wish;
  const steps: ((image: Sharp) => Sharp)[] = [];
  if (wish.stretch) steps.push((image) => image.normalise());
  if (gamma !== undefined) steps.push((image) => image.gamma(gamma));
  if (contrast !== undefined) steps.push((image) => image.linear(contrast, 128 * (1 - contrast)));
  if (brightness !== undefined || saturation !== undefined || hue !== undefined) {
    steps.push((image) =>
      image.modulate({ brightness, saturation, hue: hue === undefined ? undefined : (hue + 360) % 360 }),
    );
  }
  if (wish.grayscale) steps.push((image) => image.grayscale());
  if (wish.negate) steps.push((image) => image.negate({ alpha: false }));
  if (blur !== undefined) steps.push((image) => image.blur(blur));
  if (sharpen !== undefined) steps.push((image) => image.sharpen({ sigma: sharpen }));
  return steps;
}
