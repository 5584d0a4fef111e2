/** The name of the plugin is the first half of the names of its exporters: `slow-calls/console`. */
export default {
  apiVersion: 1,
  name: 'slow-calls',
  exporters: [new URL('./console.js', import.meta.url).href],
};
