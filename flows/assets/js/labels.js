// @ts-check
// Names over the map as HTML: text in the canvas would need glyph files. The most important names come first, none lies
// over another or over a sign. Only names in view are made, and no more than fit: it must hold for a whole country.
import { element } from './dom.js';

const MOST = 90;
/** From this zoom on municipalities of which nothing is known are named, too. */
const ALL_FROM = 9;
/** A name is tried only where it could be shown: candidates beyond this many are not looked at. */
const CANDIDATES = 400;

/**
 * @param {any} map MapLibre's map @param {any} data
 * @param {() => {rows: Map<number, number>, edge: number}} signs how many signs a municipality has, and their edge (px)
 */
export function labels(map, data, signs) {
  const layer = element('div', { class: 'ortsnamen', 'aria-hidden': 'true' });
  map.getCanvasContainer().append(layer);
  const { name, lon, lat } = data.gemeinden;
  const pen = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));
  const style = getComputedStyle(map.getContainer());
  /** @type {{node: HTMLElement, point: [number, number], shift: [number, number]}[]} */
  let placed = [];
  let selected = -1;
  /** @type {Uint8Array | null} */
  let fitting = null;

  const [bodies, surveyed, others] = [[0], [1, 2], [3, 4]].map((groups) =>
    data.order.filter((/** @type {number} */ place) => groups.includes(data.groups[place])));
  const bodyNames = bodies.map(town);
  const surveyedNames = surveyed.map(town);
  // A district that is called like a municipality is told apart from it.
  const namesakes = new Set(name);
  const districts = data.kreise.filter((/** @type {any[]} */ district) => district[2] > 1).map((/** @type {any[]} */ [, text, , x, y]) =>
    ({ text: namesakes.has(text) ? `Kreis ${text}` : text, point: [x, y], kind: 'kreisname', place: -1 }));
  /** @type {any[] | null} */
  let lesser = null;

  function town(/** @type {number} */ place) {
    return { text: name[place], point: [lon[place], lat[place]], kind: 'ortsname', place };
  }

  function width(/** @type {string} */ text, /** @type {string} */ kind) {
    pen.font = kind === 'kreisname' ? `italic 500 12px ${style.fontFamily}` : `600 13px ${style.fontFamily}`;
    return Math.ceil(pen.measureText(text).width * (kind === 'kreisname' ? 1.06 : 1)) + 8;
  }

  /** In the order in which they claim room. */
  function candidates() {
    const close = map.getZoom() >= ALL_FROM;
    if (close && !lesser) lesser = others.map((/** @type {number} */ place) => ({ ...town(place), kind: 'ortsname neben' }));
    const all = [...bodyNames, ...(close ? [...surveyedNames, ...districts, ...lesser ?? []] : [...districts, ...surveyedNames])];
    const fits = all.filter(({ place }) => place < 0 || !fitting || fitting[place] || place === selected);
    return selected >= 0 ? [town(selected), ...fits.filter(({ place }) => place !== selected)] : fits;
  }

  /** Offsets of a label's upper left corner from its point, the best first. */
  function spots(/** @type {number} */ wide, /** @type {number} */ high, /** @type {number} */ row, /** @type {number} */ edge, /** @type {string} */ kind) {
    const left = -wide / 2;
    if (kind === 'kreisname') return [[left, -high / 2], [left, -high / 2 - 22], [left, -high / 2 + 22], [left - 30, -high / 2], [left + 30, -high / 2]];
    if (!row) return [[left, -high / 2]];
    const half = edge / 2;
    return [[left, half - 1], [left, -half - high + 1], [row * half, -high / 2], [-row * half - wide, -high / 2]];
  }

  function arrange() {
    const { rows, edge } = signs();
    const box = map.getContainer();
    const [right, bottom] = [box.clientWidth, box.clientHeight];
    /** @type {number[][]} */
    const taken = [];
    for (const [place, count] of rows) {
      const middle = map.project([lon[place], lat[place]]);
      const half = count * edge / 2;
      if (middle.x > -half && middle.x < right + half) taken.push([middle.x - half, middle.y - edge / 2 + 1, middle.x + half, middle.y + edge / 2 - 1]);
    }
    const view = map.getBounds();
    const inView = candidates().filter(({ point: [x, y] }) => x > view.getWest() && x < view.getEast() && y > view.getSouth() && y < view.getNorth());
    /** @type {typeof placed} */
    const next = [];
    const fragment = document.createDocumentFragment();
    for (const candidate of inView.slice(0, CANDIDATES)) {
      if (next.length === MOST) break;
      const point = map.project(candidate.point);
      const wide = width(candidate.text, candidate.kind);
      const high = 16;
      const spot = spots(wide, high, rows.get(candidate.place) ?? 0, edge, candidate.kind).find(([dx, dy]) => {
        const [x, y] = [point.x + dx, point.y + dy];
        return x >= 0 && x + wide <= right && y >= 0 && y + high <= bottom
          && taken.every((other) => x + wide <= other[0] || other[2] <= x || y + high <= other[1] || other[3] <= y);
      });
      if (!spot) continue;
      taken.push([point.x + spot[0], point.y + spot[1], point.x + spot[0] + wide, point.y + spot[1] + high]);
      const node = element('span', { class: `${candidate.kind}${candidate.place === selected ? ' gewaehlt' : ''}` }, candidate.text);
      node.style.width = `${wide}px`;
      const label = { node, point: candidate.point, shift: /** @type {[number, number]} */ (spot) };
      put(label);
      fragment.append(node);
      next.push(label);
    }
    layer.replaceChildren(fragment);
    placed = next;
  }

  function put(/** @type {{node: HTMLElement, point: any, shift: [number, number]}} */ { node, point, shift }) {
    const { x, y } = map.project(point);
    node.style.transform = `translate(${Math.round(x + shift[0])}px, ${Math.round(y + shift[1])}px)`;
  }

  map.on('move', () => placed.forEach(put));
  map.on('moveend', arrange);

  return {
    /** @param {Uint8Array} places which municipalities fit @param {number} place the chosen one, or -1 */
    show(places, place) {
      fitting = places;
      selected = place;
      arrange();
    },
  };
}
