/** Where the coordinator writes down what servers offer: in the memory, but no memory that anyone looks for. */

export const catalogScope = 'coordinator';
export const catalogFolder = 'catalog';

/** True for a record of the catalog: it is listed and read like any memory, and left out of searches. */
export function isCatalogKey(scope: string, key: string): boolean {
  return scope === catalogScope && key.startsWith(`${catalogFolder}/`);
}
