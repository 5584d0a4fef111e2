/** Image processing: sizes, formats, looks and comparisons of images, with the sharp library. */

import { defineServer } from '../../kernel/define-server.ts';
import { compare, deleteImage, imageInfo, listImages } from './image-inspect-tools.ts';
import { composite, watermark } from './image-overlay-tools.ts';
import { imageSettingsShape } from './image-settings.ts';
import { crop, resize, rotate, thumbnail } from './image-shape-tools.ts';
import { adjust, convert } from './image-tone-tools.ts';

/** The smallest picture there is. */
const onePixelGif = 'R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==';

export default defineServer({
  name: 'image-processing',
  title: 'Image Processing',
  description:
    'Resizes, crops, rotates, converts, adjusts, overlays and compares images; no model is involved.',
  version: '1.0.0',
  category: 'ai-ml',
  port: 3253,
  instructions:
    'Images come as Base64 (image.data) or by the name of a saved image (image.file). Give saveAs to keep a result and ' +
    'work on with it as image.file: that avoids sending the bytes again. jpeg, png, webp, avif, gif and tiff are served.',
  settings: imageSettingsShape,
  tools: [
    imageInfo,
    resize,
    thumbnail,
    crop,
    rotate,
    convert,
    adjust,
    composite,
    watermark,
    compare,
    listImages,
    deleteImage,
  ],
  probe: { tool: 'image_info', arguments: { image: { data: onePixelGif } } },
});
