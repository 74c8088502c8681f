// @ts-check
// The state of the map lives in the page's address, so that it can be shared and the back button works. The names of the
// parameters are public: docs/site.md and the page "Karte" describe them.

export const PLACE_FILTERS = ['land', 'kreis', 'groesse', 'befragung'];
export const COMMITTEE_FILTERS = ['art', 'status', 'thema', 'mitglied'];
export const FILTERS = [...COMMITTEE_FILTERS, ...PLACE_FILTERS];
const VIEWS = ['karte', 'liste'];
/** The closest zoom of the map. */
export const CLOSEST = 13;

/**
 * @typedef {{art: string, status: string, thema: string, mitglied: string, land: string, kreis: string,
 *   groesse: string, befragung: string, ort: string, ansicht: string, ausschnitt: [number, number, number] | null}} State
 * `ort` is a key (AGS), `ausschnitt` longitude, latitude and zoom of the map.
 */

/** @returns {State} */
export function initial() {
  return { art: '', status: '', thema: '', mitglied: '', land: '', kreis: '', groesse: '', befragung: '', ort: '',
    ansicht: '', ausschnitt: null };
}

/**
 * The state that a query string describes, and what in it nobody knows (left out, and said to the reader).
 * @param {string} query @param {any} data @returns {{state: State, unknown: string[]}}
 */
export function parse(query, data) {
  const state = initial();
  /** @type {string[]} */
  const unknown = [];
  for (const [name, value] of new URLSearchParams(query)) {
    const known = FILTERS.includes(name) || name === 'ort' || name === 'ansicht' || name === 'ausschnitt';
    if (!known || !value) continue;
    const accepted = name === 'ausschnitt' ? viewport(value) : allowed(name, value, data);
    if (accepted) Object.assign(state, { [name]: accepted });
    else unknown.push(`${name}=${value}`);
  }
  return { state, unknown };
}

/** @param {string} name @param {string} value @param {any} data */
function allowed(name, value, data) {
  if (name === 'ansicht') return VIEWS.includes(value) ? value : '';
  if (name === 'ort') return data.keys.has(value) ? data.gemeinden.ags[data.keys.get(value)] : '';
  if (name === 'kreis') return data.kreise.some((/** @type {string[]} */ [key]) => key === value) ? value : '';
  if (name === 'art' && data.names.gruppe.has(value)) return value;
  return data.names[name].has(value) ? value : '';
}

/** @param {string} text @returns {[number, number, number] | null} */
function viewport(text) {
  const [lon, lat, zoom] = text.split(',').map(Number);
  const fits = Math.abs(lon) <= 180 && Math.abs(lat) <= 85 && zoom >= 0 && zoom <= CLOSEST;
  return fits ? [lon, lat, zoom] : null;
}

/** @param {State} state @returns {string} the query string, empty for the state at the beginning */
export function query(state) {
  const found = new URLSearchParams();
  for (const name of [...FILTERS, 'ort', 'ansicht']) {
    const value = state[/** @type {'ort'} */ (name)];
    if (value) found.set(name, value);
  }
  const [lon, lat, zoom] = state.ausschnitt || [];
  const text = found.toString();
  if (lon === undefined || lat === undefined || zoom === undefined) return text && `?${text}`;
  // Commas stay readable: this is for people, too.
  const part = `ausschnitt=${lon.toFixed(3)},${lat.toFixed(3)},${zoom.toFixed(1)}`;
  return `?${text ? `${text}&` : ''}${part}`;
}

/**
 * What choosing a value for a filter changes: with another Land a district that is not in it goes, too.
 * @param {State} state @param {string} name @param {string} value @returns {Partial<State>}
 */
export function chosen(state, name, value) {
  const leaves = name === 'land' && !state.kreis.startsWith(value);
  return { [name]: value, ...(leaves ? { kreis: '' } : {}) };
}

/** @param {State} state whether anything narrows the map */
export const filtered = (state) => FILTERS.some((name) => state[/** @type {'art'} */ (name)]);
