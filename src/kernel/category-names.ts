/** The ten categories, in the order of their ports. */
export const categoryNames = [
  'database',
  'filesystem',
  'api',
  'ai-ml',
  'version-control',
  'devtools',
  'system',
  'communication',
  'business',
  'iot',
] as const;

/** Servers from the config that name no category. */
export const customCategory = 'custom';
