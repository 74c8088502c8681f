// @ts-check
import { element, inwards } from './dom.js';

/**
 * What happened after this release came out. A release never changes, so its pages ask the index of all releases, which
 * lies beside them on the same server; where they are served from elsewhere, they ask nothing and say nothing.
 */

/** @typedef {{ausgabe: string, datum: string, status: string, grund?: string, zurueckgezogen_am?: string}} Release */

const PLACE = /^(.*\/)(latest|releases\/[^/]+)\/(.*)$/;
const PUBLISHED = 'veroeffentlicht';
const WITHDRAWN = 'zurueckgezogen';

/**
 * @param {string} address
 * @returns {Promise<any>} what the file says, or null
 */
async function read(address) {
  try {
    const answer = await fetch(address, { cache: 'no-cache' });
    return answer.ok ? await answer.json() : null;
  } catch {
    // No network, or not JSON: the page stands without it.
    return null;
  }
}

/** @param {string} iso */
const germanDay = (iso) => iso.split('-').reverse().join('.');

/**
 * A band above the page's head.
 * @param {...(string | Node)} content
 */
function announce(...content) {
  const band = element('section', { class: 'band band-alt band-ausgabe', 'aria-label': 'Stand dieser Ausgabe' }, element('p', { class: 'breite' }, ...content));
  document.querySelector('header.kopf')?.before(band);
}

/**
 * @param {Release} release
 * @returns {string} its state in words, for a release that can no longer be read
 */
function state(release) {
  if (release.status !== WITHDRAWN) return 'nicht mehr vorgehalten';
  const day = release.zurueckgezogen_am ? ` am ${germanDay(release.zurueckgezogen_am)}` : '';
  return `zurückgezogen${day}. Grund: ${release.grund ?? 'nicht angegeben'}`;
}

/**
 * The newest first: ids are compared number by number, so that the tenth release of a day follows the ninth.
 * @param {Release} one
 * @param {Release} other
 */
function newestFirst(one, other) {
  const parts = (/** @type {Release} */ release) => (release.ausgabe.match(/\d+/g) ?? []).map(Number);
  const [left, right] = [parts(one), parts(other)];
  for (let place = 0; place < Math.max(left.length, right.length); place += 1) {
    const difference = (right[place] ?? 0) - (left[place] ?? 0);
    if (difference) return difference;
  }
  return 0;
}

/**
 * The table of all releases on the page "Daten", with those that came later and with what became of each.
 * @param {HTMLTableSectionElement} body
 * @param {Release[]} releases
 * @param {string} own
 * @param {string} store
 */
function fill(body, releases, own, store) {
  const told = new Map([...body.rows].map((row) => [row.dataset.ausgabe, row.lastElementChild?.textContent ?? '']));
  const rows = [...releases].sort(newestFirst).map((release) => {
    const known = release.status === PUBLISHED;
    const linked = known && release.ausgabe !== own;
    const note = release.ausgabe === own ? 'diese Ausgabe' : '';
    const more = [note, known ? '' : state(release)].filter(Boolean).join('; ');
    return element('tr', { 'data-ausgabe': release.ausgabe },
      element('th', { scope: 'row' },
        linked ? inwards(`${store}releases/${encodeURIComponent(release.ausgabe)}/`, release.ausgabe) : release.ausgabe,
        more && ' ', more && element('span', { class: 'zusatz' }, more)),
      element('td', { class: 'fest' }, germanDay(release.datum)),
      element('td', { class: 'text' }, told.get(release.ausgabe) || 'Auf dieser Seite nicht bekannt; die Ausgabe selbst sagt es.'));
  });
  body.replaceChildren(...rows);
  const hint = document.getElementById('ausgaben-hinweis');
  if (hint) hint.textContent = 'Stand jetzt, nach dem Verzeichnis aller Ausgaben.';
}

async function tell() {
  const place = PLACE.exec(location.pathname);
  const own = document.documentElement.dataset.ausgabe;
  if (!place || !own || !location.protocol.startsWith('http')) return;
  const [, store, folder, page] = place;
  const body = /** @type {HTMLTableSectionElement | null} */ (document.getElementById('ausgaben-liste'));
  const fixed = folder !== 'latest';
  if (!fixed && !body) return;
  const index = await read(`${store}releases.json`);
  /** @type {Release[]} */
  const releases = Array.isArray(index?.ausgaben) ? index.ausgaben : [];
  const entry = releases.find((release) => release.ausgabe === own);
  if (body && entry) fill(body, releases, own, store);
  if (entry?.status === WITHDRAWN) announce(`Diese Ausgabe wurde ${state(entry)}`);
  if (!fixed || !entry) return;
  const latest = (await read(`${store}latest.json`))?.ausgabe;
  if (typeof latest !== 'string' || latest === own) return;
  const target = `${store}releases/${encodeURIComponent(latest)}/${page.includes('/') ? '' : page}`;
  const newer = newestFirst({ ...entry, ausgabe: latest }, entry) < 0;
  announce(
    newer ? `Es gibt eine neuere Ausgabe als diese (${own}): ` : `Diese Ausgabe (${own}) ist nicht die aktuelle. Aktuell ist wieder: `,
    inwards(target, `Ausgabe ${latest}`),
  );
}

tell();
