// @ts-check
// Search by town: an ARIA combobox with suggestions (list autocomplete, manual selection). It also knows names and keys
// of other dates and says which municipality of the map they lie in.
import { byId, counted, element } from './dom.js';
import { ownDistrict } from './data.js';

const MOST = 8;

/** Without case, marks and hyphens: "muehlhausen", "Mühlhausen" and "muhlhausen" are found alike. @param {string} text */
function folded(text) {
  return text.toLowerCase().replace(/ß/g, 'ss').normalize('NFD').replace(/\p{M}/gu, '')
    .replace(/([aou])e/g, '$1').replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
}

/** @param {any} data @param {(place: number) => void} choose */
export function search(data, choose) {
  const input = /** @type {HTMLInputElement} */ (byId('suche'));
  const popup = byId('suche-liste');
  const message = byId('suche-meldung');
  const index = entries(data);
  /** @type {{name: string, place: number, former: string}[]} */
  let found = [];
  let active = -1;

  function close() {
    popup.hidden = true;
    active = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  function activate(/** @type {number} */ number) {
    active = number;
    [...popup.children].forEach((option, at) => option.setAttribute('aria-selected', String(at === active)));
    if (active < 0) input.removeAttribute('aria-activedescendant');
    else {
      input.setAttribute('aria-activedescendant', `suche-${active}`);
      popup.children[active].scrollIntoView({ block: 'nearest' });
    }
  }

  function suggest() {
    const wanted = folded(input.value);
    found = wanted ? matches(index, wanted) : [];
    popup.replaceChildren(...found.map((entry, at) => option(data, entry, at)));
    popup.hidden = !found.length;
    active = -1;
    input.setAttribute('aria-expanded', String(found.length > 0));
    input.removeAttribute('aria-activedescendant');
    message.textContent = !wanted ? ''
      : found.length ? `${counted(found.length, 'Vorschlag', 'Vorschläge')}. Mit den Pfeiltasten wählen.`
        : 'Keine Gemeinde mit diesem Namen gefunden.';
    message.classList.toggle('nur-vorlesen', !wanted || found.length > 0);
  }

  function take(/** @type {number} */ number) {
    const entry = found[number];
    if (!entry) return;
    input.value = '';
    message.textContent = '';
    close();
    choose(entry.place);
  }

  input.addEventListener('input', suggest);
  input.addEventListener('focus', () => input.value && suggest());
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (event) => {
    const open = !popup.hidden;
    if (event.key === 'Enter') {
      event.preventDefault();
      if (!open) suggest();
      take(Math.max(0, active));
    } else if (event.key === 'Escape' && (open || input.value)) {
      event.stopPropagation();
      if (!open) input.value = '';
      message.textContent = '';
      close();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!open) suggest();
      const last = found.length - 1;
      if (found.length) activate(event.key === 'ArrowDown' ? (active >= last ? 0 : active + 1) : (active <= 0 ? last : active - 1));
    }
  });
  // Before the field loses focus, which would close the list.
  popup.addEventListener('mousedown', (event) => {
    event.preventDefault();
    const chosen = /** @type {Element} */ (event.target).closest('[role=option]');
    if (chosen) take([...popup.children].indexOf(chosen));
  });
}

/** @param {any} data */
function entries(data) {
  const { name, ags, einwohner } = data.gemeinden;
  const today = name.map((/** @type {string} */ text, /** @type {number} */ place) =>
    ({ name: text, place, former: '', keys: [folded(text), ags[place]], weight: einwohner[place] ?? 0 }));
  const then = data.frueher.map((/** @type {[string, string, number]} */ [text, key, place]) =>
    ({ name: text, place, former: key, keys: [folded(text), key], weight: -1 }));
  return [...today, ...then];
}

/** Beginnings of the name first, then beginnings of a word in it, each by size. @param {any[]} index @param {string} wanted */
function matches(index, wanted) {
  const inside = ` ${wanted}`;
  const ranked = index
    .map((entry) => ({ entry, rank: entry.keys.some((/** @type {string} */ key) => key.startsWith(wanted)) ? 0 : entry.keys[0].includes(inside) ? 1 : 2 }))
    .filter(({ rank }) => rank < 2)
    .sort((one, other) => one.rank - other.rank || other.entry.weight - one.entry.weight || one.entry.name.localeCompare(other.entry.name, 'de'));
  /** @type {any[]} */
  const found = [];
  const seen = new Set();
  for (const { entry } of ranked) {
    const same = `${entry.name}|${entry.place}`;
    if (!seen.has(same)) found.push(entry);
    seen.add(same);
    if (found.length === MOST) break;
  }
  return found;
}

/** @param {any} data @param {{name: string, place: number, former: string}} entry @param {number} at */
function option(data, entry, at) {
  const { name, kreis, ags } = data.gemeinden;
  const where = entry.former
    ? (name[entry.place] === entry.name ? `Schlüssel ${entry.former}; auf der Karte ${ags[entry.place]}` : `auf der Karte in ${name[entry.place]}`)
    : ownDistrict(data, entry.place) ? '' : data.kreise[kreis[entry.place]][1];
  return element('li', { role: 'option', id: `suche-${at}`, 'aria-selected': 'false' }, entry.name,
    where && element('span', { class: 'stand' }, ` ${where}`));
}
