// @ts-check
// The filters as form fields, the line that says what fits, and the counts of choices and legend.
import { byId, counted, element, number } from './dom.js';
import { choices, legendCounts } from './filter.js';
import { chosen, FILTERS, filtered, initial } from './state.js';

/**
 * @param {any} data @param {(change: Partial<import('./state.js').State>) => void} change what to do with a new choice
 * @param {() => void} clear what to do when all choices shall go
 */
export function controls(data, change, clear) {
  const form = document.getElementById('filter');
  const fields = FILTERS.map((name) => /** @type {HTMLSelectElement | null} */ (document.getElementById(`filter-${name}`)))
    .filter((field) => field !== null);
  const labels = new Map(fields.flatMap((field) => [...field.options].map((option) => [option, option.textContent])));
  const names = fields.map((field) => field.name);
  const reset = byId('zuruecksetzen');
  let shown = initial();
  for (const field of fields) {
    field.addEventListener('change', () => change({ ...chosen(shown, field.name, field.value), ort: '' }));
  }
  reset.addEventListener('click', clear);
  form?.addEventListener('submit', (event) => event.preventDefault());
  toggle();

  return {
    /** @param {import('./state.js').State} state @param {import('./filter.js').Result} result @param {string[]} unknown */
    show(state, result, unknown) {
      shown = state;
      const found = choices(data, state, names);
      for (const field of fields) {
        field.value = state[/** @type {'art'} */ (field.name)];
        field.classList.toggle('gewaehlt', Boolean(field.value));
        for (const option of field.options) {
          const count = found[field.name].get(option.value) ?? 0;
          option.textContent = option.value ? `${labels.get(option)} (${number(count)})` : labels.get(option) ?? '';
          option.disabled = Boolean(option.value) && count === 0 && option.value !== field.value;
        }
        for (const group of /** @type {NodeListOf<HTMLElement>} */ (field.querySelectorAll('[data-land]'))) {
          group.hidden = elsewhere(state, group.dataset.land ?? '');
        }
      }
      document.documentElement.classList.toggle('gefiltert', filtered(state));
      reset.hidden = !filtered(state) && !state.ort && !state.ausschnitt;
      showCounts(data, result);
      byId('ergebnis').replaceChildren(...sentence(data, state, result, unknown));
    },
  };
}

/**
 * Whether the districts of `land` cannot be chosen because another Land is; one that the address names stays in sight.
 * @param {import('./state.js').State} state @param {string} land
 */
function elsewhere(state, land) {
  return Boolean(state.land) && state.land !== land && !state.kreis.startsWith(land);
}

/** On narrow screens the filters fold away behind a button. */
function toggle() {
  const button = document.getElementById('filter-knopf');
  button?.addEventListener('click', () => {
    const open = byId('filter').classList.toggle('offen');
    button.setAttribute('aria-expanded', String(open));
  });
}

/** @param {any} data @param {import('./filter.js').Result} result */
function showCounts(data, result) {
  const counts = legendCounts(data, result);
  const nothingRecorded = allNotRecorded(data, result);
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-anzahl]'))) {
    const [list, code] = (place.dataset.anzahl ?? '').split(' ');
    place.textContent = nothingRecorded && list !== 'befragung' ? '' : number(counts[list].get(code) ?? 0);
  }
}

/**
 * @param {any} data @param {import('./state.js').State} state @param {import('./filter.js').Result} result
 * @param {string[]} unknown
 */
function sentence(data, state, result, unknown) {
  const parts = [];
  const committees = data.gremien.length;
  if (filtered(state)) {
    const all = data.unincorporated.size ? counted(data.count, 'Gebiet', 'Gebieten') : counted(data.count, 'Gemeinde', 'Gemeinden');
    parts.push(element('strong', {}, `${number(result.placeCount)} von ${all}`),
      ` und ${number(result.committees.size)} von ${counted(committees, 'bekannten Gremium', 'bekannten Gremien')} passen: ${summary(data, state)}.`);
    if (allNotRecorded(data, result)) parts.push(' Gremien sind dort nicht erfasst.');
  } else {
    const areas = data.unincorporated.size;
    const free = areas ? ` und ${counted(areas, 'gemeindefreies Gebiet', 'gemeindefreie Gebiete')}` : '';
    parts.push(element('strong', {}, `${counted(data.count - areas, 'Gemeinde', 'Gemeinden')}${free}`), ', ',
      element('strong', {}, counted(committees, 'bekanntes Gremium', 'bekannte Gremien')), '.');
  }
  if (unknown.length) {
    parts.push(element('span', { class: 'unbekannt' }, ` Nicht angewendet, weil es das in dieser Ausgabe nicht gibt: ${unknown.join(', ')}.`));
  }
  return parts;
}

/**
 * Whether nothing that fits is in a Land of which committees are recorded: to count none there would read like a finding.
 * @param {any} data @param {import('./filter.js').Result} result
 */
function allNotRecorded(data, result) {
  return result.placeCount > 0 && result.places.every((fits, place) => !fits || data.notRecorded(place));
}

const TITLES = /** @type {Record<string, string>} */ ({ art: 'Form', status: 'Status', thema: 'Thema',
  mitglied: 'Mitglied', land: 'Land', kreis: 'Kreis', groesse: 'Einwohner', befragung: 'Befragung' });

/** @param {any} data @param {import('./state.js').State} state */
function summary(data, state) {
  return FILTERS.filter((name) => state[/** @type {'art'} */ (name)])
    .map((name) => `${TITLES[name]} „${valueName(data, name, state[/** @type {'art'} */ (name)])}“`).join(', ');
}

/** @param {any} data @param {string} name @param {string} value */
function valueName(data, name, value) {
  if (name === 'kreis') return data.kreise.find((/** @type {string[]} */ [key]) => key === value)[1];
  return (data.names[name].get(value) ?? data.names.gruppe.get(value)).name;
}
