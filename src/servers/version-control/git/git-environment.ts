/** The environment and options every Git command runs with: nothing inherited that could run a program or leak. */

import type { Identity } from './settings.ts';

/** Git for Windows knows it by this name, too. */
const devNull = '/dev/null';
/** What Git and its transports need from our own environment; everything else stays out. */
const inherited = ['PATH', 'Path', 'PATHEXT', 'SystemRoot', 'SYSTEMROOT', 'TMPDIR', 'TEMP', 'TMP'];
/** What ssh needs besides, for clones only. */
const inheritedForNetwork = [
  'HOME',
  'USERPROFILE',
  'USER',
  'LOGNAME',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

export interface EnvironmentOptions {
  /** Transports that may be used, e.g. `['https']`; none by default. */
  readonly protocols?: readonly string[];
  readonly author?: Identity;
  readonly committer?: Identity;
}

export function gitEnvironment(options: EnvironmentOptions = {}): Record<string, string> {
  const { protocols = [], author, committer } = options;
  const names = protocols.length > 0 ? [...inherited, ...inheritedForNetwork] : inherited;
  const taken = names.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(taken),
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: devNull,
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    GIT_EDITOR: ':',
    GIT_SEQUENCE_EDITOR: ':',
    GIT_PAGER: 'cat',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    // Overrides every protocol.allow in any config; an empty list allows none.
    GIT_ALLOW_PROTOCOL: protocols.join(':'),
    GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ClearAllForwardings=yes -o PermitLocalCommand=no',
    ...(author && { GIT_AUTHOR_NAME: author.name, GIT_AUTHOR_EMAIL: author.email }),
    ...(committer && { GIT_COMMITTER_NAME: committer.name, GIT_COMMITTER_EMAIL: committer.email }),
  };
}

/** Harmless flaws of old commits; many well-known repositories have them. */
const oldFlaws = [
  'badTimezone',
  'zeroPaddedFilemode',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'missingEmail',
];

/** `-c` options that switch off what a repository's own config could switch on. */
export function safeOptions(runHooks: boolean): string[] {
  const values = [
    ...(runHooks ? [] : [`core.hooksPath=${devNull}`]),
    'core.fsmonitor=false',
    'core.quotePath=false',
    'core.protectNTFS=true',
    'core.protectHFS=true',
    'core.askPass=',
    `core.attributesFile=${devNull}`,
    `core.excludesFile=${devNull}`,
    'credential.helper=',
    'commit.gpgSign=false',
    'tag.gpgSign=false',
    'log.showSignature=false',
    'gc.auto=0',
    'maintenance.auto=false',
    'submodule.recurse=false',
    'diff.ignoreSubmodules=all',
    'http.followRedirects=false',
    'fetch.fsckObjects=true',
    ...oldFlaws.map((flaw) => `fetch.fsck.${flaw}=ignore`),
    'advice.detachedHead=false',
  ];
  return values.flatMap((value) => ['-c', value]);
}
