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

export interface Tables {
  api_keys: ApiKeysTable;
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
