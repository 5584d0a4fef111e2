/** All metrics of ours as data; docs/guides/metrics.md has the same table. */

export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** What it says, for people. */
  readonly help: string;
}

/** By name after `git_memory_mcp_`. */
export const metricTable = {
  call_duration_seconds: {
    type: 'histogram',
    labels: ['server', 'outcome'],
    help: 'How long calls to a server took, failover included; outcome is ok, tool-error or error.',
  },
  call_errors_total: {
    type: 'counter',
    labels: ['server', 'code'],
    help: 'Calls that ended with an error, by its code; RPC_ERROR is one that the server answered.',
  },
  calls_in_flight: { type: 'gauge', labels: [], help: 'Calls that wait for a server now.' },
  parked_calls: {
    type: 'gauge',
    labels: [],
    help: 'Calls that wait for their client to answer a question of the server.',
  },
  sessions: { type: 'gauge', labels: [], help: 'Open sessions of clients of the legacy era.' },
  refused_requests_total: {
    type: 'counter',
    labels: ['code'],
    help: 'Requests refused at the door: a foreign Host or Origin, no valid key, a role that lacks the permission.',
  },
  tls_certificate_seconds_left: {
    type: 'gauge',
    labels: [],
    help: 'Until the certificate of the listeners expires; negative after. Only with TLS.',
  },
  guardrail_findings_total: {
    type: 'counter',
    labels: ['guardrail', 'rule', 'direction', 'outcome'],
    help: 'What guardrails found; outcome is allowed, redacted, confirmed or blocked.',
  },
  limited_total: {
    type: 'counter',
    labels: ['per', 'window'],
    help: 'Calls and requests that a limit refused, by what it counts; address: too many wrong keys.',
  },
  limits_shared: {
    type: 'gauge',
    labels: [],
    help: '1 while coordinators count limits together, 0 while this one has to count for itself.',
  },
  logins_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Sign-ins of people with a password; outcome is ok, wrong, too-many or busy.',
  },
  issued_tokens_total: {
    type: 'counter',
    labels: ['kind'],
    help: 'Tokens given to MCP clients; kind is access or refresh.',
  },
  upstream_token_refreshes_total: {
    type: 'counter',
    labels: ['server', 'outcome'],
    help: 'Requests for tokens of servers that want some; outcome is ok or error.',
  },
  upstream_token_expiry_seconds: {
    type: 'gauge',
    labels: ['server'],
    help: 'Time until the first of the tokens in use for a server ends; negative for one that has.',
  },
  expiring_secrets: {
    type: 'gauge',
    labels: [],
    help: 'Secrets of the store that have run out, or do so within secrets.warnDays.',
  },
  instances: { type: 'gauge', labels: ['state'], help: 'Server instances by state.' },
  host_instances: { type: 'gauge', labels: ['host'], help: 'Built-in instances in a host thread.' },
  host_utilization: {
    type: 'gauge',
    labels: ['host'],
    help: 'Share of the last seconds in which a host thread had something to do, 0 to 1.',
  },
  replicas: {
    type: 'gauge',
    labels: [],
    help: 'Replicas of all instances, and connections of single clients.',
  },
  waiting_calls: {
    type: 'gauge',
    labels: ['server'],
    help: 'Calls that wait for a place, of servers that take so many at a time.',
  },
  refused_calls_total: {
    type: 'counter',
    labels: ['server'],
    help: 'Calls that got no place: the queue was full, or they had waited too long.',
  },
  own_connections: {
    type: 'gauge',
    labels: ['server'],
    help: 'Clients that have a connection of their own, of servers that keep them apart.',
  },
  breakers: {
    type: 'gauge',
    labels: ['state'],
    help: 'Circuit breakers, one for each replica, by state; open: out of traffic after failed calls.',
  },
  failovers_total: {
    type: 'counter',
    labels: ['server'],
    help: 'Calls that went to another instance or to the restarted one because this server failed.',
  },
  retries_total: {
    type: 'counter',
    labels: ['server'],
    help: 'Calls that were sent again over the same connection.',
  },
  breaker_openings_total: {
    type: 'counter',
    labels: ['server'],
    help: 'Times that a replica was taken out of traffic because its calls failed.',
  },
  restarts_total: { type: 'counter', labels: ['server'], help: 'Times that a server was started again.' },
  fail_opens_total: {
    type: 'counter',
    labels: ['server'],
    help: 'Times that no healthy replica was left, so that calls went to sick ones.',
  },
  audit_records_total: { type: 'counter', labels: [], help: 'Records written to the audit log.' },
  audit_lost_records_total: {
    type: 'counter',
    labels: [],
    help: 'Records of the audit log that could not be written and are lost.',
  },
  audit_queued_records: {
    type: 'gauge',
    labels: [],
    help: 'Records that wait to be written to the audit log.',
  },
  memory_operation_duration_seconds: {
    type: 'histogram',
    labels: ['operation', 'outcome'],
    help: 'How long operations of the memory took; a write counts until it was acknowledged.',
  },
  memory_backlog_writes: {
    type: 'gauge',
    labels: [],
    help: 'Acknowledged writes, safe in the journal, that are not in a Git commit yet.',
  },
  memory_text_backlog: { type: 'gauge', labels: [], help: 'Values whose full text is still to be made.' },
  memory_keys: { type: 'gauge', labels: [], help: 'Keys in the memory.' },
  memory_commits: { type: 'gauge', labels: [], help: 'Commits on the main branch.' },
  memory_repository_bytes: { type: 'gauge', labels: [], help: 'Size of the repository on disk.' },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof metricTable;
export const metricPrefix = 'git_memory_mcp_';
