/** The image formats that are read and written, and how to tell them by their first bytes. */

export const imageFormats = {
  jpeg: { mimeType: 'image/jpeg', extension: 'jpg', animated: false },
  png: { mimeType: 'image/png', extension: 'png', animated: false },
  webp: { mimeType: 'image/webp', extension: 'webp', animated: true },
  avif: { mimeType: 'image/avif', extension: 'avif', animated: false },
  gif: { mimeType: 'image/gif', extension: 'gif', animated: true },
  tiff: { mimeType: 'image/tiff', extension: 'tiff', animated: false },
} as const;

export type ImageFormat = keyof typeof imageFormats;

const names = Object.keys(imageFormats) as [ImageFormat, ...ImageFormat[]];

/** Names of the formats, for shapes. */
export const imageFormatNames = names;

/** The format of a file extension with its dot, or undefined. */
export function formatOfExtension(extension: string): ImageFormat | undefined {
  const bare = extension.slice(1).toLowerCase();
  if (bare === 'jpeg' || bare === 'jpe') return 'jpeg';
  if (bare === 'tif') return 'tiff';
  return names.find((name) => imageFormats[name].extension === bare);
}

/** The format by the signature of the bytes; what a client claims is not asked. */
export function formatOfBytes(bytes: Uint8Array): ImageFormat | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 32)).toString('latin1');
  if (start.startsWith('\u00ff\u00d8\u00ff')) return 'jpeg';
  if (start.startsWith('\u0089PNG\r\n\u001a\n')) return 'png';
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return 'gif';
  if (start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') return 'webp';
  if (start.startsWith('II*\u0000') || start.startsWith('MM\u0000*')) return 'tiff';
  if (start.slice(4, 8) === 'ftyp' && /avi[fs]/.test(start.slice(8))) return 'avif';
  return undefined;
}
