/** Local Git repositories through stock Git: history, changes, branches, merges, clones. */

import { defineServer } from '../../kernel/define-server.ts';
import { branchTools } from './git/branch-tools.ts';
import { commitTools } from './git/commit-tools.ts';
import { historyTools } from './git/history-tools.ts';
import { mergeTools } from './git/merge-tool.ts';
import { repositoryTools } from './git/repository-tools.ts';
import { searchTools } from './git/search-tool.ts';
import { settingsShape } from './git/settings.ts';
import { statusTools } from './git/status-tools.ts';

export default defineServer({
  name: 'git-operations',
  title: 'Git Operations',
  description:
    'Work with Git repositories in allowed folders: clone, status, log, diff, blame, search, commit, branch, merge, tag, reset and stash, with answers as data.',
  version: '1.0.0',
  category: 'version-control',
  port: 3300,
  instructions:
    'git_list_repositories names the repositories the other tools take. To record work: git_status, git_add, git_commit. To combine: git_switch to the target, then git_merge; conflicts come back as data and nothing is left half done unless onConflict is "keep". Paths are relative to the repository and taken literally. Nothing is ever pushed.',
  settings: settingsShape,
  tools: [
    ...repositoryTools,
    ...statusTools,
    ...historyTools,
    ...searchTools,
    ...commitTools,
    ...branchTools,
    ...mergeTools,
  ],
  probe: { tool: 'git_list_repositories', arguments: {} },
});
