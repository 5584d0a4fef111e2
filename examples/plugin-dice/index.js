/** A plugin is data: its version of the API, its name, and the modules of its servers. */
export default {
  apiVersion: 1,
  name: 'dice',
  servers: [new URL('./dice.js', import.meta.url).href],
};
