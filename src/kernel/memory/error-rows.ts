/** The rows of the error table about the memory: Git, storage, values, backups, merges and remotes. */

/** By code; the error table checks their form. */
export const memoryErrorRows = {
  GIT_MISSING: {
    http: 500,
    jsonRpc: -32603,
    exit: 9,
    retry: 'never',
    message: 'git was not found on PATH; install Git 2.38 or newer',
  },
  GIT_FAILED: {
    http: 500,
    jsonRpc: -32603,
    exit: 10,
    retry: 'later',
    message: 'git {command} failed: {problem}',
  },
  DISK_FULL: {
    http: 507,
    jsonRpc: -32603,
    exit: 10,
    retry: 'later',
    message: 'no space left under {path}; nothing was acknowledged, free some space and try again',
  },
  STORAGE_FAILED: {
    http: 500,
    jsonRpc: -32603,
    exit: 10,
    retry: 'later',
    message: 'storage under {path} failed: {problem}',
  },
  MEMORY_NOT_FOUND: {
    http: 404,
    jsonRpc: -32602,
    exit: 4,
    retry: 'never',
    message: 'no memory {key} in scope {scope}',
  },
  MEMORY_CHANGED: {
    http: 412,
    jsonRpc: -32602,
    exit: 11,
    retry: 'never',
    message: '{key} in scope {scope} has etag {actual}, not {expected}; retrieve it again and decide anew',
  },
  MEMORY_VERSION_NOT_FOUND: {
    http: 404,
    jsonRpc: -32602,
    exit: 4,
    retry: 'never',
    message: 'no version {version} of {key} in scope {scope}',
  },
  MEMORY_SEALED: {
    http: 409,
    jsonRpc: -32602,
    exit: 11,
    retry: 'never',
    message: '{key} in scope {scope} is encrypted and cannot be read: {problem}',
  },
  MEMORY_FORGOTTEN: {
    http: 409,
    jsonRpc: -32602,
    exit: 11,
    retry: 'never',
    message: 'commit {commit} has history that was forgotten here; {fix}',
  },
  BACKUP_FAILED: {
    http: 502,
    jsonRpc: -32603,
    exit: 10,
    retry: 'later',
    message: 'backups in {target} cannot be written or read: {problem}',
  },
  BACKUP_DAMAGED: {
    http: 500,
    jsonRpc: -32603,
    exit: 12,
    retry: 'never',
    message: 'backup {id} is not usable: {problem}',
  },
  QUOTA_EXCEEDED: {
    http: 507,
    jsonRpc: -32602,
    exit: 11,
    retry: 'never',
    message:
      'scope {scope} would hold {wanted} {what}, its limit is {limit}: delete memories there, or raise memory.scopes.<pattern>.{option}',
  },
  MERGE_CONFLICTS: {
    http: 409,
    jsonRpc: -32602,
    exit: 11,
    retry: 'never',
    message:
      '{conflicts} conflicts with main, nothing was merged: {keys}; compare both sides, or merge with a strategy',
  },
  REMOTE_FAILED: {
    http: 502,
    jsonRpc: -32603,
    exit: 8,
    retry: 'later',
    message: 'remote {remote}: {problem}; {fix}',
  },
} as const;
