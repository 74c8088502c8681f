// @ts-check
// The page "Karte" and the map in other sites' pages: one state, shown by filters, list, panel and map together.
import { read } from './data.js';
import { byId } from './dom.js';
import { controls } from './controls.js';
import { select } from './filter.js';
import { list } from './list.js';
import { canDraw, draw, library } from './map.js';
import { panel } from './panel.js';
import { search } from './search.js';
import { snippet } from './snippet.js';
import { FILTERS, initial, parse, query } from './state.js';
import { views } from './views.js';

const asset = (/** @type {string} */ name) => new URL(`../${name}`, import.meta.url).href;

async function start() {
  const data = await read(asset('karte.json'));
  let { state, unknown } = parse(location.search, data);
  let result = select(data, state);
  /** @type {ReturnType<typeof draw> | null} */
  let map = null;
  /** The result that is shown. @type {typeof result | null} */
  let shown = null;
  // Where nobody opened the panel in this page, focus goes to the search.
  const toSearch = () => byId('suche').focus();
  let giveFocusBack = toSearch;

  const placeOf = () => (state.ort ? data.keys.get(state.ort) ?? -1 : -1);

  /** All choices go; on narrow screens the reader stays with map or list. */
  function reset() {
    change({ ...initial(), ansicht: state.ansicht });
    toSearch();
  }

  const entries = list(data, {
    open: (place) => open(place, () => entries.link(place)?.focus()),
    hover,
    address: (place) => query({ ...state, ort: data.gemeinden.ags[place], ausschnitt: null }),
    reset,
  });
  const details = panel(data, () => change({ ort: '' }));
  const fields = controls(data, change, reset);
  const view = views((chosen) => change({ ansicht: chosen }, false));
  const embed = snippet();
  search(data, (place) => open(place, toSearch));

  /** @param {number | null} place */
  function hover(place) {
    entries.highlight(place);
    map?.highlight(place);
  }

  /** @param {number} place @param {() => void} back @param {string} [committee] */
  function open(place, back, committee = '') {
    giveFocusBack = back;
    const ort = data.gemeinden.ags[place];
    // A municipality that the filters hide is still told: the filters give way.
    const hidden = !result.places[place];
    const cleared = hidden ? Object.fromEntries(FILTERS.map((name) => [name, ''])) : {};
    if (ort !== state.ort || hidden) change({ ...cleared, ort });
    details.show(place, committee);
    details.focus();
  }

  /** @param {Partial<import('./state.js').State>} parts @param {boolean} [step] whether the back button leads back here */
  function change(parts, step = true) {
    const before = state;
    const closes = parts.ort === '' && details.holdsFocus;
    // What the map shows follows from any other choice; only the reader's own moves are kept.
    const keepsView = Object.keys(parts).every((name) => name === 'ansicht');
    state = { ...state, ...parts, ...(keepsView ? {} : { ausschnitt: null }) };
    unknown = [];
    const address = `${location.pathname}${query(state)}${location.hash}`;
    if (step) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
    show(before);
    if (closes) giveFocusBack();
  }

  /** @param {import('./state.js').State | null} before */
  function show(before) {
    if (!before || FILTERS.some((name) => before[/** @type {'art'} */ (name)] !== state[/** @type {'art'} */ (name)])) result = select(data, state);
    const place = placeOf();
    const isNew = result !== shown;
    fields.show(state, result, unknown);
    entries.show(result, place);
    view.show(state.ansicht, place >= 0);
    if (place >= 0) details.show(place);
    else details.hide();
    embed.show(query(state));
    map?.show(result, place);
    if (before && map && (isNew || (place >= 0 && before.ort !== state.ort))) map.fit(result, place);
    shown = result;
  }

  window.addEventListener('popstate', () => {
    const before = state;
    const focused = details.holdsFocus;
    ({ state, unknown } = parse(location.search, data));
    show(before);
    if (state.ausschnitt) map?.jump(state.ausschnitt);
    if (focused && placeOf() < 0) giveFocusBack();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && details.place >= 0 && !event.defaultPrevented) change({ ort: '' });
  });
  show(null);
  document.documentElement.classList.add('bereit');

  const frame = byId('karte');
  if (!canDraw()) {
    withoutMap();
    return;
  }
  try {
    map = draw(await library(asset('maplibre-gl.js')), frame, data, {
      open: (place, committee) => open(place, () => map?.focus(), committee),
      hover,
      moved: (viewport) => {
        state = { ...state, ausschnitt: viewport };
        history.replaceState(null, '', `${location.pathname}${query(state)}${location.hash}`);
        fields.show(state, result, unknown);
        embed.show(query(state));
      },
    }, state.ausschnitt);
    await map.ready;
    map.show(result, placeOf());
    if (!state.ausschnitt && (state.ort || result.placeCount < data.count)) map.fit(result, placeOf(), false);
    await map.idle();
    byId('karte-bild').classList.add('nur-druck');
    frame.dataset.bereit = 'ja';
  } catch (reason) {
    map = null;
    withoutMap('Die bewegliche Karte ließ sich nicht laden. Das Bild zeigt alle Gemeinden und Gremien, ohne Auswahl; die Liste arbeitet wie sonst.');
    reportError(reason);
  }
}

/** The static picture stays; list and filters work on. @param {string} [why] other than that this browser cannot draw it */
function withoutMap(why) {
  const message = byId('karte-meldung');
  if (why) message.textContent = why;
  message.hidden = false;
  byId('karte').hidden = true;
}

/** The page stands as it does without scripts. @param {unknown} reason */
function withoutData(reason) {
  document.documentElement.classList.add('ohne-skript');
  withoutMap('Die Daten der Karte ließen sich nicht laden. Das Bild zeigt alle Gemeinden und Gremien; was bekannt ist, steht in der Liste.');
  reportError(reason);
}

start().catch(withoutData);
