// @ts-check
// How everything comes into the page: texts as text only, links only to the web, to a mailbox or to this release.

const NUMBER = new Intl.NumberFormat('de-DE');

/** @param {number} value */
export const number = (value) => NUMBER.format(value);

/**
 * "1 Gemeinde", "36 Gemeinden".
 * @param {number} count @param {string} one @param {string} many
 */
export const counted = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;

/**
 * A new element; `undefined`, `null`, `false` and empty children are left out.
 * @param {string} tag @param {Record<string, string>} attributes @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined && child !== null && child !== false && child !== ''));
  return made;
}

/**
 * A link to the web or a mailbox; any other address (`javascript:`, `data:`) becomes plain text.
 * @param {string | null} address @param {string} text @param {string} [about] what a screen reader adds
 */
export function outwards(address, text, about = '') {
  const heard = about && element('span', { class: 'nur-vorlesen' }, ` – ${about}`);
  if (!/^(https?:\/\/|mailto:)/i.test(address || '')) return element('span', {}, text);
  return element('a', { href: /** @type {string} */ (address), rel: 'noopener noreferrer', ...target() }, text, heard);
}

/**
 * A link to another page of the release. Inside a frame of another site it opens beside it.
 * @param {string} path @param {string} text
 */
export const inwards = (path, text) => element('a', { href: path, ...target() }, text);

/** @returns {Record<string, string>} */
function target() {
  return document.body.classList.contains('eingebettet') ? { target: '_blank', rel: 'noopener' } : {};
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`Element ${id} fehlt.`);
  return found;
}
