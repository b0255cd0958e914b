/** Elements made in one expression. Text is always text, never markup. */

/**
 * @param {string} selector
 * @returns {any}
 */
export const $ = (selector) => document.querySelector(selector);

/**
 * An HTML element.
 * @param {string} name
 * @param {Record<string, any>} [properties] `data` holds data attributes, `on…` listeners.
 * @param {...(Node | string | null)} content
 * @returns {any}
 */
export function h(name, properties = {}, ...content) {
  const element = document.createElement(name);
  const { data = {}, ...rest } = properties;
  Object.assign(element.dataset, data);
  for (const [key, value] of Object.entries(rest)) {
    if (key.includes('-') || key === 'role') element.setAttribute(key, value);
    else /** @type {any} */ (element)[key] = value;
  }
  element.append(...content.filter((part) => part !== null));
  return element;
}

/**
 * An SVG element.
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string)} content
 * @returns {any}
 */
export function svg(name, attributes = {}, ...content) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...content);
  return element;
}
