// @ts-check
// Reads assets/karte.json and builds what the other modules look up: shapes, boxes, committees by municipality.

/**
 * @typedef {{code: string, name: string, definition?: string, gruppe?: string, von?: number, bis?: number | null}} Code
 * @typedef {{datum: string, status: string, quelle: string, zeigt: string, url: string | null, rechner: string,
 *   zustand?: string}} Evidence
 * @typedef {{id: string, name: string, art: string, gruppe: string, status: string, stand: string, orte: number[],
 *   gegruendet: string, vorsitz: string, turnus: string, themen: string[], mitglieder: string[], identisch: string[],
 *   teilVon: string, belege: Evidence[]}} Committee
 * @typedef {[number, number, number, number]} Box west, south, east, north
 */

/** @param {string} address */
export async function read(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return prepared(await answer.json());
}

/** @param {any} raw */
function prepared(raw) {
  const places = raw.gemeinden;
  const count = places.ags.length;
  /** @type {number[][]} */
  const committeesOf = Array.from({ length: count }, () => []);
  raw.gremien.forEach((/** @type {Committee} */ committee, /** @type {number} */ number) => {
    committee.orte.forEach((place) => committeesOf[place].push(number));
  });
  const keys = new Map(places.ags.map((/** @type {string} */ ags, /** @type {number} */ place) => [ags, place]));
  for (const [, key, place] of raw.frueher) if (!keys.has(key)) keys.set(key, place);
  const asked = raw.codes.befragung.map((/** @type {Code} */ code) => code.code !== 'nicht_befragt');
  /** @param {number} place @returns {string | undefined} the name of its Land, where no committee of it is recorded */
  const notRecorded = (place) => raw.nichtErfasst[places.ags[place].slice(0, 2)];
  const groups = committeesOf.map((found, place) =>
    (found.length ? 0 : (asked[places.befragung[place]] ? 1 : 3) + (notRecorded(place) ? 1 : 0)));
  const areas = raw.flaechen.map((/** @type {number[][][]} */ parts) =>
    parts.map((rings) => rings.map((steps) => ring(steps, raw.einheit))));
  return {
    ...raw,
    count,
    committeesOf,
    /** Municipality by key, also by keys of other dates. @type {Map<string, number>} */
    keys,
    areas,
    /** @type {Box[]} */
    boxes: areas.map(boxOf),
    asked,
    notRecorded,
    /** The areas that are no municipality. @type {Set<number>} */
    unincorporated: new Set(raw.gemeindefrei),
    /**
     * By municipality: 0 with a committee, 1 surveyed without one, 3 the others; 2 and 4 the same in Länder of which no
     * committee is recorded. @type {number[]}
     */
    groups,
    order: order(places, groups),
    names: Object.fromEntries(Object.entries(raw.codes).map(([list, codes]) =>
      [list, new Map(/** @type {Code[]} */ (codes).map((code) => [code.code, code]))])),
  };
}

/** @param {number[]} steps whole numbers: the first point, then the way to each next one @param {number} unit */
export function line(steps, unit) {
  const points = [];
  let x = 0;
  let y = 0;
  for (let at = 0; at < steps.length; at += 2) {
    x += steps[at];
    y += steps[at + 1];
    points.push([x / unit, y / unit]);
  }
  return points;
}

/** @param {number[]} steps @param {number} unit */
function ring(steps, unit) {
  const points = line(steps, unit);
  points.push(points[0]);
  return points;
}

/** @param {number[][][][]} parts @returns {Box} */
function boxOf(parts) {
  /** @type {Box} */
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const rings of parts) {
    for (const [x, y] of rings[0]) {
      if (x < box[0]) box[0] = x;
      if (y < box[1]) box[1] = y;
      if (x > box[2]) box[2] = x;
      if (y > box[3]) box[3] = y;
    }
  }
  return box;
}

/**
 * The municipalities as the list shows them: group after group, each by size.
 * @param {any} places @param {number[]} groups
 */
function order({ ags, einwohner }, groups) {
  return groups.map((_, place) => place).sort((one, other) =>
    groups[one] - groups[other]
    || (einwohner[other] ?? 0) - (einwohner[one] ?? 0)
    || (ags[one] < ags[other] ? -1 : 1));
}

/**
 * Whether a municipality is a district of its own, so that naming its district says nothing.
 * @param {any} data @param {number} place
 */
export function ownDistrict(data, place) {
  const district = data.kreise[data.gemeinden.kreis[place]];
  return !district || district[2] === 1;
}

/** @param {any} data @param {Committee} committee */
export function statusText(data, committee) {
  const name = data.names.status.get(committee.status).name;
  return committee.stand ? `${name} (Stand ${committee.stand})` : `${name} (nur Belege ohne Datum)`;
}
