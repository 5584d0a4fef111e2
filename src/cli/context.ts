/** What a verb works with: its streams, environment and folder. Tests start the real process instead of faking this. */

/** The process as a verb sees it. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Set by a verb that ran but has bad news, such as `doctor`. */
  exitCode: number;
  /** Set by a verb that serves others: it goes on when nobody reads its output any more. */
  outlivesReaders: boolean;
}

/** The context of the running process. */
export function createContext(host: NodeJS.Process): CliContext {
  return {
    env: host.env,
    cwd: host.cwd(),
    platform: host.platform,
    stdin: host.stdin,
    stdout: host.stdout,
    stderr: host.stderr,
    exitCode: 0,
    outlivesReaders: false,
  };
}

/** True when a person can be asked: both ends are a terminal. */
export function isInteractive({ stdin, stdout, env }: CliContext): boolean {
  return stdin.isTTY && stdout.isTTY && env['CI'] === undefined;
}
