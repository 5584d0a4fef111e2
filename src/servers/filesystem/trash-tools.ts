/** Tools that delete, and bring back what was deleted. */

import { mkdir, readdir, readFile, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { ToolError } from '../../kernel/define-server.ts';
import type { FileContext } from './file-settings.ts';
import { changes, defineFileTool, looks, pathShape, shownShape } from './file-tool.ts';
import { atEntry, moveEntry, mustNotBeRoot } from './move-tools.ts';
import { makeParents } from './open-file.ts';
import { locate, type Located, mustExist } from './path-guard.ts';
import { inFolder } from './pinned-folder.ts';
import { lookAt, typeOf } from './read-tools.ts';

const aboutShape = z.object({
  path: z.string().describe('Where it was; a path as for the other tools.'),
  type: z.enum(['file', 'folder', 'link', 'other']).describe('What it was.'),
  deletedAt: z.string().describe('ISO 8601 time.'),
});

const idShape = z
  .string()
  .regex(/^[0-9a-f-]{36}$/, { error: 'must be an id of list_trash' })
  .describe('Id in the trash.');

const dayMs = 86_400_000;

function trashFolder(context: FileContext): string {
  return join(context.instance.dataDir, 'trash');
}

export const deleteEntry = defineFileTool({
  name: 'delete',
  title: 'Delete a file or folder',
  description:
    'Delete a file, link or folder. It goes to the trash, from where restore brings it back, unless permanent is ' +
    'true. A folder with something in it needs recursive. Returns the id in the trash.',
  input: z.strictObject({
    path: pathShape,
    recursive: z.boolean().default(false).describe('Delete a folder with all that is in it.'),
    permanent: z.boolean().default(false).describe('Delete for good.'),
  }),
  output: z.object({
    path: shownShape,
    trashId: z.string().optional().describe('Id for restore, unless it was deleted for good.'),
  }),
  annotations: changes({ destructive: true, idempotent: false }),
  run: async (args, context) => {
    const located = mustExist(await locate(args.path, context, { follow: false }));
    mustNotBeRoot(located);
    const found = await lookAt(located);
    const hasContent =
      found.isDirectory() && (await inFolder(located.path, located, (at) => readdir(at))).length > 0;
    if (hasContent && !args.recursive) {
      throw new ToolError(
        `path: ${located.shown} is a folder with something in it; set recursive to true to delete all`,
      );
    }
    if (!args.permanent)
      return { path: located.shown, trashId: await toTrash(located, typeOf(found), context) };
    await removeForGood(located, found.isDirectory(), hasContent);
    return { path: located.shown };
  },
});

function removeForGood(located: Located, isFolder: boolean, hasContent: boolean): Promise<void> {
  return atEntry(located, async (path) => {
    // `rm` follows no link; the simple calls refuse where something appeared meanwhile.
    if (hasContent) await rm(path, { recursive: true });
    else if (isFolder) await rmdir(path);
    else await unlink(path);
  });
}

async function toTrash(
  located: Located,
  type: z.infer<typeof aboutShape>['type'],
  context: FileContext,
): Promise<string> {
  const id = crypto.randomUUID();
  const folder = join(trashFolder(context), id);
  const about: z.infer<typeof aboutShape> = {
    path: located.shown,
    type,
    deletedAt: new Date().toISOString(),
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'about.json'), JSON.stringify(about));
  try {
    await atEntry(located, (path) => moveEntry(path, join(folder, 'item')));
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return id;
}

async function readAbout(id: string, context: FileContext): Promise<z.infer<typeof aboutShape> | undefined> {
  const text = await readFile(join(trashFolder(context), id, 'about.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : aboutShape.parse(JSON.parse(text));
}

async function listTrashed(context: FileContext) {
  const ids = await readdir(trashFolder(context)).catch(() => []);
  const all = await Promise.all(
    ids
      .filter((id) => idShape.safeParse(id).success)
      .map(async (id) => {
        const about = await readAbout(id, context).catch(() => undefined);
        return about ? [{ id, ...about }] : [];
      }),
  );
  return all.flat().sort((a, b) => (a.deletedAt < b.deletedAt ? 1 : -1));
}

export const listTrash = defineFileTool({
  name: 'list_trash',
  title: 'List the trash',
  description: 'List what was deleted and can be restored, the newest first.',
  input: z.strictObject({
    limit: z.number().int().min(1).max(1000).default(100).describe('Most items.'),
  }),
  output: z.object({
    items: z
      .array(aboutShape.extend({ id: z.string().describe('Id for restore.') }))
      .describe('Newest first.'),
    total: z.number().int().describe('Items in the trash.'),
  }),
  annotations: looks,
  run: async ({ limit }, context) => {
    const items = await listTrashed(context);
    return { items: items.slice(0, limit), total: items.length };
  },
});

export const restore = defineFileTool({
  name: 'restore',
  title: 'Restore from the trash',
  description:
    'Bring something back from the trash to where it was, or to another path. Nothing is replaced.',
  input: z.strictObject({
    id: idShape,
    to: pathShape.optional().describe('Another path, if not the old one.'),
  }),
  output: z.object({ path: shownShape }),
  annotations: changes({ destructive: false, idempotent: false }),
  run: async ({ id, to }, context) => {
    const about = await readAbout(id, context);
    if (!about) throw new ToolError(`id: nothing in the trash has the id ${id}; see list_trash`);
    const target = await locate(to ?? about.path, context, { field: 'to', follow: false });
    if (target.exists) throw new ToolError(`to: ${target.shown} exists; give another path in to`);
    await makeParents(target);
    const folder = join(trashFolder(context), id);
    await atEntry(target, (path) => moveEntry(join(folder, 'item'), path));
    await rm(folder, { recursive: true, force: true });
    return { path: target.shown };
  },
});

export const emptyTrash = defineFileTool({
  name: 'empty_trash',
  title: 'Empty the trash',
  description: 'Delete for good what has been in the trash for some days.',
  input: z.strictObject({
    olderThanDays: z
      .number()
      .min(0)
      .max(36_500)
      .default(30)
      .describe('Keep what was deleted later; 0 deletes all.'),
  }),
  output: z.object({
    deleted: z.number().int().describe('Items deleted for good.'),
    kept: z.number().int().describe('Items still in the trash.'),
  }),
  annotations: changes({ destructive: true, idempotent: true }),
  run: async ({ olderThanDays }, context) => {
    const before = Date.now() - olderThanDays * dayMs;
    const items = await listTrashed(context);
    const old = items.filter(({ deletedAt }) => Date.parse(deletedAt) <= before);
    for (const { id } of old)
      await rm(join(trashFolder(context), basename(id)), { recursive: true, force: true });
    return { deleted: old.length, kept: items.length - old.length };
  },
});
