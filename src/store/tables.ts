/** The tables as Kysely sees them; migrations make them. */

export interface ListingsTable {
  key: string;
  listing: string;
  updated_at: string;
}

/** Added servers, and added remotes. */
export interface AddedEntriesTable {
  name: string;
  entry: string;
  added_at: string;
}

export interface BundlesTable {
  name: string;
  settings: string;
  added_at: string;
}

export interface ApprovalsTable {
  server: string;
  approval: string;
  updated_at: string;
}

export interface Tables {
  listings: ListingsTable;
  added_servers: AddedEntriesTable;
  added_remotes: AddedEntriesTable;
  bundles: BundlesTable;
  approvals: ApprovalsTable;
}
