// @ts-check
/**
 * Sorting, filtering and downloading of a table that stands complete in the page.
 *
 * A form `<form class="filter" data-tabelle="ID" hidden>` belongs to the table with that id. Its fields filter by name:
 * `text` looks into what a row shows, every other name compares with the row's `data-<name>` (codes separated by
 * spaces). Headings with `data-sortieren="text|zahl|datum"` become buttons; a cell's `data-wert` goes before its text.
 * `[data-anzahl]` announces the result, `[data-csv]` (an address, with `data-dateiname`) downloads the rows shown.
 * The state stands in the address, so that it can be shared and the back button leads through it.
 */

import { number } from './dom.js';

/** Rows in the page at once; the rest comes on demand, so that long tables stay quick. */
const BATCH = 500;
const collator = new Intl.Collator('de', { numeric: true, sensitivity: 'base' });

/** Lower case without marks, so that "muhlhausen" finds "Mühlhausen". @param {string} text */
function plain(text) {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase('de');
}

/**
 * Records of a CSV text (RFC 4180) as they stand there, with their line ends; the first is the heading.
 * @param {string} text
 */
export function records(text) {
  const found = [];
  let start = 0;
  let quoted = false;
  for (let place = 0; place < text.length; place += 1) {
    if (text[place] === '"') quoted = !quoted;
    else if (text[place] === '\n' && !quoted) {
      found.push(text.slice(start, place + 1));
      start = place + 1;
    }
  }
  if (start < text.length) found.push(text.slice(start));
  return found;
}

/** The first cell of a record. @param {string} record */
export function firstCell(record) {
  const quoted = /^"((?:[^"]|"")*)"/.exec(record);
  return quoted ? quoted[1].replaceAll('""', '"') : record.split(',', 1)[0];
}

/** @param {HTMLFormElement} form */
function enhance(form) {
  const table = /** @type {HTMLTableElement} */ (document.getElementById(form.dataset.tabelle ?? ''));
  const body = table.tBodies[0];
  const all = [...body.rows].filter((row) => row.dataset.kennung !== undefined);
  const texts = new Map(all.map((row) => [row, plain(row.textContent ?? '')]));
  const headings = /** @type {HTMLTableCellElement[]} */ ([...table.querySelectorAll('th[data-sortieren]')]);
  const fields = /** @type {(HTMLInputElement | HTMLSelectElement)[]} */ ([...form.elements].filter((one) => 'name' in one && one.name));
  const result = /** @type {HTMLElement} */ (form.querySelector('[data-anzahl]'));
  const download = /** @type {HTMLButtonElement | null} */ (form.querySelector('[data-csv]'));
  const more = document.createElement('button');
  let shown = all;
  let limit = BATCH;
  let column = '';
  let descending = false;

  /** What a row shows in a column, as text, number or date. @param {HTMLTableRowElement} row @param {number} index */
  function value(row, index) {
    const cell = row.cells[index];
    return cell.dataset.wert ?? cell.textContent?.trim() ?? '';
  }

  /** @param {HTMLTableRowElement} one @param {HTMLTableRowElement} other @param {HTMLTableCellElement} heading */
  function compare(one, other, heading) {
    const [left, right] = [value(one, heading.cellIndex), value(other, heading.cellIndex)];
    // What is not known stands last in either direction.
    if (!left || !right) return Number(!left) - Number(!right);
    const order = heading.dataset.sortieren === 'zahl' ? Number(left) - Number(right) : collator.compare(left, right);
    return descending ? -order : order;
  }

  /** A field's condition in words, for the ear and for a printed table. @param {HTMLInputElement | HTMLSelectElement} field */
  function condition(field) {
    const text = field instanceof HTMLSelectElement ? field.selectedOptions[0].dataset.name : `„${field.value.trim()}“`;
    return `${field.labels?.[0].textContent}: ${text}`;
  }

  function readAddress() {
    const query = new URLSearchParams(location.search);
    for (const field of fields) field.value = query.get(field.name) ?? '';
    const heading = headings.find((one) => one.dataset.spalte === query.get('sortiert'));
    column = heading?.dataset.spalte ?? '';
    descending = query.get('ordnung') === 'absteigend';
  }

  /** @param {boolean} keep whether the back button shall lead to the state before */
  function writeAddress(keep) {
    const query = new URLSearchParams(location.search);
    /** @type {[string, string][]} */
    const state = fields.map((field) => [field.name, field.value.trim()]);
    state.push(['sortiert', column], ['ordnung', column && descending ? 'absteigend' : '']);
    for (const [name, text] of state) {
      if (text) query.set(name, text);
      else query.delete(name);
    }
    const address = `${location.pathname}${query.size ? `?${query}` : ''}${location.hash}`;
    if (address === `${location.pathname}${location.search}${location.hash}`) return;
    if (keep) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
  }

  function draw() {
    const wanted = fields.filter((field) => field.value.trim());
    const searched = plain(fields.find((field) => field.name === 'text')?.value ?? '').split(/\s+/).filter(Boolean);
    shown = all.filter((row) =>
      searched.every((word) => texts.get(row)?.includes(word))
      && wanted.every((field) => field.name === 'text' || (row.dataset[field.name] ?? '').split(' ').includes(field.value)));
    const heading = headings.find((one) => one.dataset.spalte === column);
    if (heading) shown.sort((one, other) => compare(one, other, heading));
    for (const one of headings) {
      if (one === heading) one.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      else one.removeAttribute('aria-sort');
    }
    body.replaceChildren(...shown.slice(0, limit));
    more.hidden = shown.length <= limit;
    more.textContent = `${number(Math.min(BATCH, shown.length - limit))} weitere anzeigen`;
    const order = heading ? `, sortiert nach ${heading.textContent?.trim()}, ${descending ? 'absteigend' : 'aufsteigend'}` : '';
    const conditions = wanted.map(condition).join(', ');
    const count = wanted.length ? `${number(shown.length)} von ${number(all.length)}` : `Alle ${number(all.length)}`;
    result.textContent = `${count} ${form.dataset.einheit ?? 'Zeilen'}${conditions && ` (${conditions})`}${order}`;
    if (download) download.disabled = shown.length === 0;
  }

  /** @param {boolean} keep */
  function change(keep) {
    limit = BATCH;
    writeAddress(keep);
    draw();
  }

  /** A row that the address names must be in the page: neither filtered out nor among those not yet shown. */
  function showTarget() {
    const named = all.find((row) => `#${encodeURIComponent(row.id)}` === location.hash);
    if (!named || named.isConnected) return;
    for (const field of fields) field.value = '';
    limit = all.length;
    writeAddress(false);
    draw();
    named.scrollIntoView();
  }

  async function save() {
    if (!download) return;
    const answer = await fetch(download.dataset.csv ?? '').catch(() => null);
    if (!answer?.ok) {
      result.textContent = 'Die Datei ließ sich nicht laden. Bitte die vollständige CSV-Datei verwenden.';
      return;
    }
    const [heading, ...lines] = records(await answer.text());
    const wanted = new Set(shown.map((row) => row.dataset.kennung));
    const kept = lines.filter((line) => wanted.has(firstCell(line)));
    const file = new Blob([heading, ...kept], { type: 'text/csv;charset=utf-8' });
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = download.dataset.dateiname ?? 'gefiltert.csv';
    link.click();
    URL.revokeObjectURL(link.href);
    result.textContent = `Gespeichert: ${link.download}, Zeilen: ${number(kept.length)}`;
  }

  for (const heading of headings) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'sortieren';
    button.append(...heading.childNodes);
    button.addEventListener('click', () => {
      descending = column === heading.dataset.spalte && !descending;
      column = heading.dataset.spalte ?? '';
      change(true);
    });
    heading.append(button);
  }
  more.type = 'button';
  more.className = 'weitere';
  more.addEventListener('click', () => {
    limit += BATCH;
    draw();
  });
  table.parentElement?.after(more);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', (event) => change(!(event.target instanceof HTMLInputElement)));
  form.addEventListener('reset', () => setTimeout(() => change(true)));
  download?.addEventListener('click', () => void save());
  window.addEventListener('popstate', () => {
    readAddress();
    draw();
  });
  window.addEventListener('hashchange', showTarget);
  readAddress();
  form.hidden = false;
  draw();
  showTarget();
}

for (const form of document.querySelectorAll('form[data-tabelle]')) enhance(/** @type {HTMLFormElement} */ (form));
