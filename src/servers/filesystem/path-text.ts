/** What a path may look like, before the disk is asked. */

import { ToolError } from '../../kernel/define-server.ts';

const deviceName = /^(con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³])(\.|$)/i;

/** Throws a ToolError for a path that no file can have, or that reaches a device on Windows. */
export function checkPathText(
  path: string,
  field: string,
  platform: NodeJS.Platform = process.platform,
): void {
  const shown = JSON.stringify(path.slice(0, 200));
  if (path === '' || path.includes('\u0000'))
    throw new ToolError(`${field}: ${shown} is no path; give a file or folder`);
  if (!path.isWellFormed())
    throw new ToolError(`${field}: ${shown} has a lone surrogate; send valid Unicode`);
  if (platform !== 'win32') return;
  if (/^[\\/]{2}/.test(path))
    throw new ToolError(`${field}: ${shown} is a network or device path; these are refused`);
  const segments = path.replace(/^[A-Za-z]:[\\/]/, '').split(/[\\/]/);
  for (const segment of segments) {
    if (segment === '.' || segment === '..') continue;
    // A colon names a stream of a file, or a place relative to another drive.
    if (/[<>:"|?*\p{Cc}]/u.test(segment) || /[. ]$/.test(segment) || deviceName.test(segment)) {
      throw new ToolError(`${field}: ${JSON.stringify(segment)} is not a file name on Windows; rename it`);
    }
  }
}
