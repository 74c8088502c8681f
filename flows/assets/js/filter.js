// @ts-check
// Which municipalities and committees fit the filters. List, counts and map all show this one result, so they agree.
import { COMMITTEE_FILTERS, PLACE_FILTERS } from './state.js';

/** The choice of those whose number of inhabitants is not known (`groesse`). */
const UNKNOWN_SIZE = 'unbekannt';

/**
 * @typedef {{places: Uint8Array, placeCount: number, committeesOf: Map<number, number[]>, committees: Set<number>}} Result
 * `places`: 1 for each municipality that fits; `committeesOf`: the fitting committees of those that have any.
 */

/**
 * A municipality fits when its own filters fit and, where committees are filtered, one committee in it fits them all.
 * @param {any} data @param {import('./state.js').State} state @returns {Result}
 */
export function select(data, state) {
  const places = new Uint8Array(data.count);
  const committeesOf = new Map();
  const committees = new Set();
  const wanted = COMMITTEE_FILTERS.some((name) => state[/** @type {'art'} */ (name)]);
  const own = PLACE_FILTERS.filter((name) => state[/** @type {'art'} */ (name)]);
  const fits = data.gremien.map((/** @type {any} */ committee) =>
    COMMITTEE_FILTERS.every((name) => fitsValue(valuesOf(committee, name), state[/** @type {'art'} */ (name)])));
  let placeCount = 0;
  for (let place = 0; place < data.count; place += 1) {
    if (!own.every((name) => placeValue(data, place, name) === state[/** @type {'art'} */ (name)])) continue;
    const found = data.committeesOf[place].filter((/** @type {number} */ number) => fits[number]);
    if (wanted && !found.length) continue;
    places[place] = 1;
    placeCount += 1;
    if (found.length) committeesOf.set(place, found);
    for (const number of found) committees.add(number);
  }
  return { places, placeCount, committeesOf, committees };
}

/** @param {string[]} values @param {string} wanted */
const fitsValue = (values, wanted) => !wanted || values.includes(wanted);

/** @param {any} committee @param {string} name @returns {string[]} */
function valuesOf(committee, name) {
  if (name === 'art') return [committee.art, committee.gruppe];
  if (name === 'status') return [committee.status];
  return name === 'thema' ? committee.themen : committee.mitglieder;
}

/** @param {any} data @param {number} place @param {string} name @returns {string} */
function placeValue(data, place, name) {
  const { ags, kreis, einwohner, befragung } = data.gemeinden;
  // What is no municipality could not be asked, and is not counted as "not asked".
  if (name === 'befragung' && data.unincorporated.has(place)) return '';
  if (name === 'land') return ags[place].slice(0, 2);
  if (name === 'kreis') return data.kreise[kreis[place]]?.[0] ?? '';
  if (name === 'befragung') return data.codes.befragung[befragung[place]].code;
  const size = einwohner[place];
  if (size === null) return UNKNOWN_SIZE;
  return data.codes.groesse.find((/** @type {any} */ entry) => size >= entry.von && (entry.bis === null || size < entry.bis))?.code ?? '';
}

/**
 * How many would fit for each value of the filters `names`, the other filters staying: committees for filters of
 * committees, municipalities for the others. Only a district goes with another Land (`chosen` in state.js).
 * @param {any} data @param {import('./state.js').State} state @param {string[]} names
 * @returns {Record<string, Map<string, number>>}
 */
export function choices(data, state, names) {
  return Object.fromEntries(names.map((name) => {
    const result = select(data, { ...state, [name]: '', ...(name === 'land' ? { kreis: '' } : {}) });
    const counts = new Map();
    const add = (/** @type {string} */ value) => counts.set(value, (counts.get(value) ?? 0) + 1);
    if (COMMITTEE_FILTERS.includes(name)) {
      for (const number of result.committees) valuesOf(data.gremien[number], name).forEach(add);
    } else {
      result.places.forEach((fits, place) => fits && add(placeValue(data, place, name)));
    }
    if (name === 'land' && state.kreis) counts.set(state.kreis.slice(0, 2), select(data, { ...state, land: '' }).placeCount);
    return [name, counts];
  }));
}

/** @param {any} data @param {Result} result @returns {Record<string, Map<string, number>>} the counts of the legend */
export function legendCounts(data, result) {
  /** @type {Record<string, Map<string, number>>} */
  const counts = { befragung: new Map(), gruppe: new Map(), art: new Map(), status: new Map() };
  const add = (/** @type {string} */ list, /** @type {string} */ value) =>
    counts[list].set(value, (counts[list].get(value) ?? 0) + 1);
  result.places.forEach((fits, place) => fits && add('befragung', placeValue(data, place, 'befragung')));
  for (const number of result.committees) {
    add('gruppe', data.gremien[number].gruppe);
    add('art', data.gremien[number].art);
    add('status', data.gremien[number].status);
  }
  return counts;
}

/** @param {any} data @param {Result} result @returns {[number, number, number, number] | null} the box around what fits */
export function boxOf(data, result) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  data.boxes.forEach((/** @type {number[]} */ one, /** @type {number} */ place) => {
    if (!result.places[place]) return;
    box[0] = Math.min(box[0], one[0]);
    box[1] = Math.min(box[1], one[1]);
    box[2] = Math.max(box[2], one[2]);
    box[3] = Math.max(box[3], one[3]);
  });
  return result.placeCount ? /** @type {[number, number, number, number]} */ (box) : null;
}
