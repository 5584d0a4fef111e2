/** The tables as Kysely sees them; migrations make them. Each has a column `tenant`. */

import type { Generated } from 'kysely';

export interface ListingsTable {
  tenant: string;
  key: string;
  listing: string;
  updated_at: string;
}

/** Added servers, and added remotes. */
export interface AddedEntriesTable {
  tenant: string;
  name: string;
  entry: string;
  added_at: string;
}

export interface BundlesTable {
  tenant: string;
  name: string;
  settings: string;
  added_at: string;
}

export interface ApprovalsTable {
  tenant: string;
  server: string;
  approval: string;
  updated_at: string;
}

export interface ServerChangesTable {
  tenant: string;
  seq: Generated<number>;
  at: string;
  action: string;
  server: string;
  source: string;
  origin: string | null;
  problem: string | null;
}

export interface ApiKeysTable {
  tenant: string;
  id: string;
  name: string;
  role: string;
  hash: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  certificate: string | null;
  /** JSON. */
  attributes: string | null;
}

export interface MonthlyUsesTable {
  tenant: string;
  bucket: string;
  month: string;
  used: number;
  updated_at: string;
}

export interface UsersTable {
  tenant: string;
  id: string;
  login: string;
  name: string;
  role: string;
  password: string | null;
  created_at: string;
  disabled_at: string | null;
  last_login_at: string | null;
}

export interface UserLinksTable {
  tenant: string;
  hash: string;
  user_id: string | null;
  expires_at: string;
}

export interface WebSessionsTable {
  tenant: string;
  hash: string;
  user_id: string;
  seen_at: string;
  expires_at: string;
}

export interface OauthRecordsTable {
  tenant: string;
  model: string;
  id: string;
  payload: string;
  grant_id: string | null;
  uid: string | null;
  user_id: string | null;
  client_id: string | null;
  created_at: string;
  expires_at: string | null;
  consumed_at: string | null;
}

export interface SecretsTable {
  tenant: string;
  owner: string;
  name: string;
  version: number;
  wrapped: string;
  sealed: string;
  created_at: string;
  expires_at: string | null;
}

export interface SecretMasterKeysTable {
  tenant: string;
  id: string;
  parameters: string;
  created_at: string;
}

/** How often the keys of a tenant have changed. */
export interface KeyChangesTable {
  tenant: string;
  version: number;
}

export interface ScaleBoundsTable {
  tenant: string;
  server: string;
  least: number;
  most: number;
  set_at: string;
}

export interface DeployedPhasesTable {
  tenant: string;
  phase: number;
  record: string;
}

export interface DeploymentReportsTable {
  tenant: string;
  seq: Generated<number>;
  report: string;
}

export interface ServerSettingsTable {
  tenant: string;
  server: string;
  settings: string;
  updated_at: string;
}

export interface QuarantinedServersTable {
  tenant: string;
  server: string;
  reason: string;
  at: string;
}

export interface AuditRecordsTable {
  tenant: string;
  seq: number;
  at: string;
  principal: string | null;
  server: string | null;
  target: string;
  outcome: string;
  record: string;
  hash: string;
}

export interface AuditHeadsTable {
  tenant: string;
  seq: number;
  hash: string;
}

export interface AuditCheckpointsTable {
  tenant: string;
  seq: number;
  at: string;
  hash: string;
  key_id: string;
  signature: string;
}

/** In a file of their own: `audit.sqlite`. */
export interface AuditTables {
  audit_records: AuditRecordsTable;
  audit_heads: AuditHeadsTable;
  audit_checkpoints: AuditCheckpointsTable;
}

export interface Tables {
  api_keys: ApiKeysTable;
  monthly_uses: MonthlyUsesTable;
  users: UsersTable;
  user_links: UserLinksTable;
  web_sessions: WebSessionsTable;
  oauth_records: OauthRecordsTable;
  secrets: SecretsTable;
  secret_master_keys: SecretMasterKeysTable;
  key_changes: KeyChangesTable;
  scale_bounds: ScaleBoundsTable;
  server_settings: ServerSettingsTable;
  quarantined_servers: QuarantinedServersTable;
  deployed_phases: DeployedPhasesTable;
  deployment_reports: DeploymentReportsTable;
  server_changes: ServerChangesTable;
  listings: ListingsTable;
  added_servers: AddedEntriesTable;
  added_remotes: AddedEntriesTable;
  bundles: BundlesTable;
  approvals: ApprovalsTable;
}
