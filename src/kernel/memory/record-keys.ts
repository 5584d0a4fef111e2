/** What the coordinator writes down in the memory: kept with everything else, but no memory that anyone looks for. */

export const recordScope = 'coordinator';
/** What servers offer. */
export const catalogFolder = 'catalog';
/** Checkpoints of the audit log, and the keys that signed them. */
export const auditFolder = 'audit';

/** True for a record of the coordinator: it is listed and read like any memory, and left out of searches. */
export function isRecordKey(scope: string, key: string): boolean {
  return scope === recordScope && (key.startsWith(`${catalogFolder}/`) || key.startsWith(`${auditFolder}/`));
}
