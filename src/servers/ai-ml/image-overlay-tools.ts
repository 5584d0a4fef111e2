/** Image tools that put something over an image. */

import type { Gravity, Sharp } from 'sharp';
import { z } from 'zod';
import { defineTool, ToolError } from '../../kernel/define-server.ts';
import { outputFields, produce, resultShape } from './image-result.ts';
import type { ImageContext } from './image-settings.ts';
import { colourShape, writesImage } from './image-shape-tools.ts';
import { imageShape, loadImage, openImage, readablyImage } from './image-source.ts';

const gravities = {
  centre: 'centre',
  top: 'north',
  'top-right': 'northeast',
  right: 'east',
  'bottom-right': 'southeast',
  bottom: 'south',
  'bottom-left': 'southwest',
  left: 'west',
  'top-left': 'northwest',
} as const satisfies Record<string, Gravity>;

type Place = keyof typeof gravities;

const placeShape = z.enum(Object.keys(gravities) as [Place, ...Place[]]);
const opacityShape = z.number().min(0.01).max(1);

/** Multiplies the transparency of a picture. */
function faded(picture: Sharp, opacity: number): Sharp {
  if (opacity === 1) return picture;
  const veil = { width: 1, height: 1, channels: 4 } as const;
  const alpha = Math.round(opacity * 255);
  return picture.composite([
    { input: Buffer.from([255, 255, 255, alpha]), raw: veil, tile: true, blend: 'dest-in' },
  ]);
}

export const composite = defineTool({
  name: 'composite',
  title: 'Put one image on another',
  description:
    'Lay an image (a logo, a picture) over another, at a place or at exact coordinates, blended and with opacity. An ' +
    'overlay larger than the image is shrunk to fit. Use watermark for text.',
  input: z.strictObject({
    image: imageShape,
    overlay: imageShape.describe('The image on top: either data or file.'),
    place: placeShape.default('centre').describe('Where the overlay goes, unless left and top are given.'),
    left: z
      .number()
      .int()
      .min(-16_000)
      .max(16_000)
      .optional()
      .describe('Pixels from the left edge; needs top.'),
    top: z
      .number()
      .int()
      .min(-16_000)
      .max(16_000)
      .optional()
      .describe('Pixels from the top edge; needs left.'),
    width: z.number().int().min(1).max(16_000).optional().describe('Resize the overlay to this width first.'),
    blend: z
      .enum(['over', 'multiply', 'screen', 'overlay', 'darken', 'lighten', 'difference'])
      .default('over')
      .describe('How the colours mix.'),
    opacity: opacityShape.default(1).describe('0.01 is almost invisible, 1 opaque.'),
    ...outputFields,
  }),
  output: resultShape,
  annotations: writesImage,
  run: async (args, context: ImageContext) => {
    if ((args.left === undefined) !== (args.top === undefined))
      throw new ToolError('left, top: give both or neither');
    const [image, overlay] = await Promise.all([
      loadImage(args.image, context),
      loadImage(args.overlay, context, 'overlay'),
    ]);
    return produce(image, args, context, async (pipeline, sharp) => {
      const { autoOrient: size } = await pipeline.metadata();
      const input = await readablyImage('overlay', async () => {
        const fitted = openImage(sharp, overlay, context)
          .resize({
            width: Math.min(args.width ?? size.width, size.width),
            height: size.height,
            fit: 'inside',
            withoutEnlargement: args.width === undefined,
          })
          .ensureAlpha();
        return faded(sharp(await fitted.png().toBuffer()), args.opacity)
          .png()
          .toBuffer();
      });
      const { left, top, blend } = args;
      const at = left === undefined || top === undefined ? { gravity: gravities[args.place] } : { left, top };
      return pipeline.composite([{ input, blend, ...at }]);
    });
  },
});

export const watermark = defineTool({
  name: 'watermark',
  title: 'Write text on an image',
  description:
    'Write a line or a few lines of text on an image, as a caption or watermark, in any script that the machine has ' +
    'fonts for. Text wider than the image is shrunk to fit.',
  input: z.strictObject({
    image: imageShape,
    text: z.string().min(1).max(500).describe('The text; a line break starts a new line.'),
    place: placeShape.default('bottom-right').describe('Where the text goes.'),
    size: z.number().int().min(6).max(1000).default(32).describe('Height of a line of text in pixels.'),
    colour: colourShape.default('#ffffff').describe('Colour of the text, #rrggbb or #rrggbbaa.'),
    opacity: opacityShape.default(0.7).describe('0.01 is almost invisible, 1 opaque.'),
    margin: z.number().int().min(0).max(1000).default(16).describe('Pixels between text and edge.'),
    ...outputFields,
  }),
  output: resultShape,
  annotations: writesImage,
  run: async (args, context: ImageContext) =>
    produce(await loadImage(args.image, context), args, context, async (pipeline, sharp) => {
      const { autoOrient: size } = await pipeline.metadata();
      const room = {
        width: Math.max(1, size.width - 2 * args.margin),
        height: Math.max(1, size.height - 2 * args.margin),
      };
      const input = await readablyImage('text', async () => {
        const written = await sharp({
          // Pango's default of 12 points is 12 pixels at 72 dpi.
          text: { text: markup(args.text, args.colour), rgba: true, dpi: Math.round((args.size / 12) * 72) },
        })
          .png()
          .toBuffer();
        const { margin } = args;
        const fitted = await sharp(written)
          .resize({ ...room, fit: 'inside', withoutEnlargement: true })
          .extend({ top: margin, right: margin, bottom: margin, left: margin, background: '#00000000' })
          .png()
          .toBuffer();
        // The margin itself must not exceed a tiny image.
        const cut = sharp(fitted).resize({
          width: size.width,
          height: size.height,
          fit: 'inside',
          withoutEnlargement: true,
        });
        return faded(sharp(await cut.png().toBuffer()), args.opacity)
          .png()
          .toBuffer();
      });
      return pipeline.composite([{ input, gravity: gravities[args.place] }]);
    }),
});

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Pango markup of plain text; control characters other than line breaks are dropped. */
function markup(text: string, colour: string): string {
  const plain = text.toWellFormed().replaceAll(/(?!\n)\p{Cc}/gu, '');
  if (plain.trim() === '') throw new ToolError('text: there is nothing to write; give visible characters');
  const escaped = plain.replaceAll(/[&<>"']/g, (character) => escapes[character]!);
  const alpha =
    colour.length === 9
      ? ` alpha="${Math.max(1, Math.round((Number.parseInt(colour.slice(7), 16) / 255) * 100))}%"`
      : '';
  return `<span foreground="${colour.slice(0, 7)}"${alpha}>${escaped}</span>`;
}
