/** The name of the plugin is the first half of the names of its policies: `stay/put`. */
export default {
  apiVersion: 1,
  name: 'stay',
  policies: [new URL('./put.js', import.meta.url).href],
};
