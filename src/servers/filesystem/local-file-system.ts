/** Local file system: files of a few allowed folders, read, searched, changed and brought back. */

import { defineServer } from '../../kernel/define-server.ts';
import { fileSettingsShape } from './file-settings.ts';
import { createDirectory, listDirectory, tree } from './folder-tools.ts';
import { copy, move } from './move-tools.ts';
import { fileInfo, listRoots, readFile } from './read-tools.ts';
import { searchContent, searchFiles } from './search-tools.ts';
import { deleteEntry, emptyTrash, listTrash, restore } from './trash-tools.ts';
import { appendFile, editFile, writeFile } from './write-tools.ts';

export default defineServer({
  name: 'local-file-system',
  title: 'Local File System',
  description:
    'Reads, searches and changes files in the folders that the operator allows, with a trash to undo.',
  version: '1.0.0',
  category: 'filesystem',
  port: 3150,
  instructions:
    'Relative paths start in the first folder of list_roots. Get an overview with tree, find with search_files and ' +
    'search_content, read with read_file, change with edit_file (dryRun shows the diff first). delete goes to a trash.',
  settings: fileSettingsShape,
  tools: [
    listRoots,
    readFile,
    fileInfo,
    listDirectory,
    tree,
    searchFiles,
    searchContent,
    writeFile,
    appendFile,
    editFile,
    createDirectory,
    move,
    copy,
    deleteEntry,
    listTrash,
    restore,
    emptyTrash,
  ],
  probe: { tool: 'list_directory', arguments: { limit: 1 } },
});
