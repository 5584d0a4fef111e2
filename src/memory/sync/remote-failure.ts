/** What Git said when a remote could not be reached or refused, in words that tell what to do. */

import { AppError } from '../../kernel/errors.ts';

interface Explanation {
  readonly pattern: RegExp;
  readonly problem: string;
  readonly fix: string;
}

const explanations: readonly Explanation[] = [
  {
    pattern: /Host key verification failed/i,
    problem: 'the host key is not known',
    fix: 'connect once by hand with ssh, as the user that runs the coordinator, and accept the key',
  },
  {
    pattern: /Permission denied \(|Too many authentication failures/i,
    problem: 'ssh was refused',
    fix: 'add the public key of the user that runs the coordinator to the remote, or start its ssh-agent',
  },
  {
    pattern:
      /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|error: 40[13]\b|HTTP 40[13]\b/i,
    problem: 'the remote refused the credential',
    fix: 'give a token that may read and write it, by memory.remotes.<name>.credential',
  },
  {
    pattern: /Could not resolve host|Name or service not known|Temporary failure in name resolution/i,
    problem: 'the host name is not known',
    fix: 'check the URL and the network; it is tried again by itself',
  },
  {
    pattern: /not found|does not appear to be a git repository|does not exist|error: 404/i,
    problem: 'there is no repository',
    fix: 'make an empty one there, or mend the URL',
  },
  {
    pattern: /certificate|SSL|TLS/i,
    problem: 'the certificate of the remote is not trusted',
    fix: 'install the certificate of its authority on this machine',
  },
  {
    pattern: /dubious ownership/i,
    problem: 'the repository belongs to another user',
    fix: 'run the coordinator as its owner, or use ssh or http',
  },
  {
    pattern:
      /protected branch|hook declined|denyCurrentBranch|shallow update not allowed|\[remote rejected\]/i,
    problem: 'the remote did not take the push',
    fix: 'let the credential push to the branch without a review, and use a bare repository',
  },
  {
    pattern: /No space left|disk quota/i,
    problem: 'a disk is full',
    fix: 'free some space here or at the remote',
  },
  {
    pattern:
      /Connection (?:refused|reset|closed|timed out)|Failed to connect|unreachable|timed out|early EOF|unexpected disconnect|hung up|Empty reply|RPC failed|Broken pipe|transfer closed|HTTP\/?[\d.]* 5\d\d|error: 5\d\d/i,
    problem: 'the connection failed',
    fix: 'check that the remote is up; it is tried again by itself',
  },
];

/** Text without user names and passwords of URLs, and without the secret. */
export function maskText(text: string, secret: string | undefined): string {
  const bare = text.replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1***@');
  return secret === undefined || secret === '' ? bare : bare.replaceAll(secret, '***');
}

/** REMOTE_FAILED with the sentence that fits what Git wrote; the secret is never in it. */
export function toRemoteError(remote: string, errors: string, secret: string | undefined): AppError {
  const words = maskText(errors, secret);
  const found = explanations.find(({ pattern }) => pattern.test(words));
  const lines = words.split(/[\r\n]+/).map((line) => line.trim());
  const said = lines.filter((line) => /^(?:remote:|fatal:|error:|ssh:| ! |!)/.test(line)).slice(0, 4);
  const detail = (said.length > 0 ? said : lines.filter(Boolean).slice(-2)).join(' | ').slice(0, 600);
  const problem = found?.problem ?? 'git failed';
  return new AppError('REMOTE_FAILED', {
    remote,
    problem: detail === '' ? problem : `${problem} (${detail})`,
    fix: found?.fix ?? 'see what Git said; it is tried again by itself',
  });
}
