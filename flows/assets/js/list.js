// @ts-check
// The list beside the map: all municipalities that fit, in groups, page by page. It is also the map's keyboard path.
import { byId, element, number } from './dom.js';
import { ownDistrict, statusText } from './data.js';
import { sign } from './signs.js';

const PAGE = 40;

/**
 * @param {any} data
 * @param {{open: (place: number) => void, hover: (place: number | null) => void, address: (place: number) => string,
 *   reset: () => void}} actions
 */
export function list(data, actions) {
  const holder = byId('eintraege');
  const more = byId('mehr');
  let shown = PAGE;
  /** @type {import('./filter.js').Result} */
  let current;
  let selected = -1;

  const placeOf = (/** @type {Event} */ event) => {
    const entry = /** @type {Element} */ (event.target).closest('[data-ort]');
    return entry ? Number(/** @type {HTMLElement} */ (entry).dataset.ort) : null;
  };
  holder.addEventListener('click', (event) => {
    const plain = event instanceof MouseEvent && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    const place = placeOf(event);
    if (!plain || place === null || !/** @type {Element} */ (event.target).closest('a.eintrag-name')) return;
    event.preventDefault();
    actions.open(place);
  });
  for (const name of ['mouseover', 'focusin']) holder.addEventListener(name, (event) => actions.hover(placeOf(event)));
  for (const name of ['mouseleave', 'focusout']) holder.addEventListener(name, () => actions.hover(null));
  more.addEventListener('click', () => {
    const before = holder.querySelectorAll('[data-ort]').length;
    shown += PAGE;
    render();
    /** @type {HTMLElement | undefined} */ (holder.querySelectorAll('[data-ort] a')[before])?.focus();
  });

  function render() {
    const found = data.order.filter((/** @type {number} */ place) => current.places[place]);
    holder.replaceChildren(...(found.length ? groups(data, found, shown, current, actions.address) : [nothing(actions.reset)]));
    more.hidden = found.length <= shown;
    more.textContent = `Weitere ${number(Math.min(PAGE, found.length - shown))} anzeigen (${number(Math.max(0, found.length - shown))} noch nicht gezeigt)`;
    mark();
  }

  function mark() {
    for (const entry of /** @type {NodeListOf<HTMLElement>} */ (holder.querySelectorAll('[data-ort]'))) {
      const here = Number(entry.dataset.ort) === selected;
      entry.classList.toggle('gewaehlt', here);
      entry.querySelector('a')?.toggleAttribute('aria-current', here);
    }
  }

  return {
    /** @param {import('./filter.js').Result} result @param {number} place the municipality whose panel is open, or -1 */
    show(result, place) {
      selected = place;
      if (result !== current) shown = PAGE;
      current = result;
      render();
    },
    /** @param {number | null} place */
    highlight(place) {
      for (const entry of holder.querySelectorAll('.hervor')) entry.classList.remove('hervor');
      if (place !== null) holder.querySelector(`[data-ort="${place}"]`)?.classList.add('hervor');
    },
    /** The link of a municipality, if it is on the shown pages. @param {number} place @returns {HTMLElement | null} */
    link: (place) => holder.querySelector(`[data-ort="${place}"] a`),
  };
}

// By number of the group (`groups` in data.js).
const GROUPS = [
  () => 'Gemeinden mit öffentlich belegtem Gremium',
  () => 'Weitere befragte Städte: kein öffentlicher Beleg bekannt',
  () => 'Weitere befragte Städte: Gremien in ihrem Land nicht erfasst',
  (/** @type {string} */ others) => `Übrige ${others}: kein öffentlicher Beleg bekannt`,
  (/** @type {string} */ others) => `Übrige ${others}: Gremien in ihrem Land nicht erfasst`,
];

/**
 * @param {any} data @param {number[]} found @param {number} limit @param {import('./filter.js').Result} result
 * @param {(place: number) => string} address
 */
function groups(data, found, limit, result, address) {
  /** @type {number[][]} */
  const members = GROUPS.map(() => []);
  for (const place of found) members[data.groups[place]].push(place);
  let room = limit;
  return members.flatMap((places, number_) => {
    const entries = places.slice(0, Math.max(0, room)).map((place) => entry(data, place, result, address));
    room -= entries.length;
    if (!entries.length) return [];
    const others = places.some((place) => data.unincorporated.has(place)) ? 'Gebiete' : 'Gemeinden';
    return [
      element('h3', { class: 'gruppe' }, GROUPS[number_](others), element('span', { class: 'anzahl' }, ` ${number(places.length)}`)),
      element('ul', { class: 'orte' }, ...entries),
    ];
  });
}

/** @param {any} data @param {number} place @param {import('./filter.js').Result} result @param {(place: number) => string} address */
function entry(data, place, result, address) {
  const { name, befragung } = data.gemeinden;
  return element('li', { class: 'ort', 'data-ort': String(place) },
    element('a', { class: 'eintrag-name', href: address(place) }, name[place]),
    element('p', { class: 'fakten' }, facts(data, place)),
    element('p', { class: 'fakten' }, data.welle && !data.unincorporated.has(place) ? data.codes.befragung[befragung[place]].name : ''),
    element('ul', { class: 'ort-gremien' }, ...(result.committeesOf.get(place) ?? []).map((number_) => committee(data, data.gremien[number_]))));
}

/** @param {any} data @param {number} place */
function facts(data, place) {
  const { art, kreis, einwohner } = data.gemeinden;
  const size = einwohner[place];
  return [
    art[place] === null ? '' : data.codes.gemeinde[art[place]].name,
    ownDistrict(data, place) ? '' : data.kreise[kreis[place]][1],
    size === null ? data.einwohnerStand && 'Einwohnerzahl nicht bekannt' : `${number(size)}\u00a0Einwohner`,
  ].filter(Boolean).join(' · ');
}

/** @param {any} data @param {import('./data.js').Committee} body */
function committee(data, body) {
  return element('li', {}, sign(data, body.art, body.status),
    element('span', {}, body.name, element('span', { class: 'stand' }, ` ${statusText(data, body)}`)));
}

/** @param {() => void} reset */
function nothing(reset) {
  const button = element('button', { type: 'button', class: 'knopf' }, 'Filter zurücksetzen');
  button.addEventListener('click', reset);
  return element('div', { class: 'nichts' },
    element('p', {}, element('strong', {}, 'Keine Gemeinde passt zu dieser Auswahl.')),
    element('p', {}, 'Das heißt nur: Uns ist nichts bekannt, das alle gewählten Filter zugleich erfüllt. Es heißt nicht, dass es so etwas nicht gibt.'),
    button);
}
