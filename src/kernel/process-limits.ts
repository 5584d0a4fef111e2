/** What one child process may use, with all that it starts. */
export interface ProcessLimits {
  /** Resident memory of the whole process tree, MiB. */
  readonly memoryMb?: number | undefined;
  /** Files, pipes and sockets that one process may have open. */
  readonly openFiles?: number | undefined;
  /** Time until it must have answered the handshake, milliseconds. */
  readonly startMs?: number | undefined;
}
