// @ts-check
// The map itself: MapLibre with the shapes of the data, no tiles and no other server. Colours are read from farben.css.
import { boxOf } from './filter.js';
import { line } from './data.js';
import { labels } from './labels.js';
import { GRID, picture } from './signs.js';
import { CLOSEST } from './state.js';

// Zoom and size of signs: from … to …
const SIZES = [5.5, 0.5, 9.5, 1.05];
// Pixels by which drawn lines may leave the data's: too little to be seen.
const TOLERANCE = 0.25;
// Milliseconds of a move to a result: long enough to follow, short enough where every frame is drawn in software.
const MOVE = 500;
const PADDING = 18;
// Results keep enough of their surroundings to be recognised.
const CLOSEST_RESULT = 9;
const CLOSEST_PLACE = 10.5;
const TEXTS = {
  'Map.Title': 'Kartenfläche. Pfeiltasten verschieben, Plus und Minus ändern den Maßstab. Alle Gemeinden stehen auch in der Liste.',
  'NavigationControl.ZoomIn': 'Vergrößern',
  'NavigationControl.ZoomOut': 'Verkleinern',
  'CooperativeGesturesHandler.WindowsHelpText': 'Zum Zoomen Strg gedrückt halten und scrollen',
  'CooperativeGesturesHandler.MacHelpText': 'Zum Zoomen ⌘ gedrückt halten und scrollen',
  'CooperativeGesturesHandler.MobileHelpText': 'Karte mit zwei Fingern verschieben',
};

/** Whether this browser can draw the map. */
export function canDraw() {
  const canvas = document.createElement('canvas');
  return Boolean(canvas.getContext('webgl2') || canvas.getContext('webgl'));
}

/**
 * Loads MapLibre after the list stands: its 0.9 MB must not keep anybody from reading.
 * @param {string} address
 */
export function library(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = address;
    script.addEventListener('load', () => resolve(/** @type {any} */ (window).maplibregl));
    script.addEventListener('error', () => reject(new Error(address)));
    document.head.append(script);
  });
}

/**
 * @param {any} maplibre @param {HTMLElement} container @param {any} data
 * @param {{open: (place: number, committee?: string) => void, hover: (place: number | null) => void,
 *   moved: (viewport: [number, number, number] | null) => void}} actions
 * @param {[number, number, number] | null} viewport
 */
export function draw(maplibre, container, data, actions, viewport) {
  const map = new maplibre.Map({
    container,
    style: style(data),
    ...(viewport ? { center: viewport.slice(0, 2), zoom: viewport[2] } : { bounds: data.rahmen, fitBoundsOptions: { padding: PADDING } }),
    attributionControl: false,
    cooperativeGestures: true,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    renderWorldCopies: false,
    maxZoom: CLOSEST,
    // Fading symbols redraw everything many times; without a graphics card that takes seconds.
    fadeDuration: 0,
    locale: TEXTS,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), 'top-right');
  map.addControl(wholeMap(() => {
    untouched = true;
    map.fitBounds(data.rahmen, { padding: PADDING });
    actions.moved(null);
  }), 'top-right');

  /** @type {import('./filter.js').Result} */
  let current;
  /** @type {Uint8Array} */
  let dimmed = new Uint8Array(data.count);
  let selected = -1;
  let hovered = -1;
  /** @type {{place: number, committee: number}[]} */
  let points = [];
  const rows = new Map();
  /** @type {ReturnType<typeof labels>} */
  let names;
  // While nobody has moved the map, it also fills a turned or narrower window.
  let untouched = !viewport;

  /** Draws round the chosen municipality and the one under pointer or focus. */
  function outline() {
    const places = [...new Set([selected, hovered])].filter((place) => place >= 0);
    map.getSource('hervor').setData(collection(places.map((place) => area(data, place))));
  }

  function colours() {
    for (const [layer, property, colour] of /** @type {[string, string, any][]} */ ([
      ['flaechen', 'fill-color', areaColour(data)], ['grenzen', 'line-color', colourOf('karte-grenze')],
      ['kreise', 'line-color', colourOf('karte-kreis')], ['land', 'line-color', colourOf('karte-land')],
      ['befragt', 'line-color', colourOf('karte-befragt')], ['hervor', 'line-color', colourOf('karte-hervor')],
    ])) map.setPaintProperty(layer, property, colour);
    for (const committee of data.gremien) {
      const name = `${committee.art} ${committee.status}`;
      const made = picture(data, committee.art, committee.status);
      if (map.hasImage(name)) map.updateImage(name, made.image);
      else map.addImage(name, made.image, made.options);
    }
  }

  function setPoints() {
    points = [...current.committeesOf].flatMap(([place, numbers]) => numbers.map((committee) => ({ place, committee })));
    rows.clear();
    for (const { place } of points) rows.set(place, (rows.get(place) ?? 0) + 1);
    const seen = new Map();
    map.getSource('gremien').setData(collection(points.map(({ place, committee }, id) => {
      const at = seen.get(place) ?? 0;
      seen.set(place, at + 1);
      const { art, status } = data.gremien[committee];
      return {
        type: 'Feature',
        id,
        geometry: { type: 'Point', coordinates: [data.gemeinden.lon[place], data.gemeinden.lat[place]] },
        // Twice the place in the row, so that it is a whole number: lists would become text in the tiles.
        properties: { platz: 2 * at - (rows.get(place) - 1), bild: `${art} ${status}` },
      };
    })));
  }

  function setDimmed() {
    current.places.forEach((fits, place) => {
      const dim = fits ? 0 : 1;
      if (dim !== dimmed[place]) map.setFeatureState({ source: 'gemeinden', id: place }, { blass: Boolean(dim) });
      dimmed[place] = dim;
    });
  }

  const edge = () => {
    const share = (map.getZoom() - SIZES[0]) / (SIZES[2] - SIZES[0]);
    return GRID * (SIZES[1] + (SIZES[3] - SIZES[1]) * Math.max(0, Math.min(1, share)));
  };

  function hit(/** @type {any} */ point) {
    const near = [[point.x - 3, point.y - 3], [point.x + 3, point.y + 3]];
    const sign = map.queryRenderedFeatures(near, { layers: ['gremien'] })[0];
    if (sign) return { place: points[sign.id].place, committee: data.gremien[points[sign.id].committee].id };
    const area = map.queryRenderedFeatures(point, { layers: ['flaechen'] })[0];
    return area && { place: Number(area.id), committee: '' };
  }

  map.on('style.load', colours);
  map.on('click', (/** @type {any} */ event) => {
    const found = hit(event.point);
    if (found) actions.open(found.place, found.committee);
  });
  map.on('mousemove', (/** @type {any} */ event) => {
    const found = hit(event.point);
    map.getCanvas().style.cursor = found ? 'pointer' : '';
    actions.hover(found ? found.place : null);
  });
  map.on('mouseout', () => actions.hover(null));
  map.on('movestart', (/** @type {any} */ event) => { if (event.originalEvent) untouched = false; });
  map.on('moveend', (/** @type {any} */ event) => {
    if (!event.originalEvent) return;
    const { lng, lat } = map.getCenter();
    actions.moved([lng, lat, map.getZoom()]);
  });
  map.on('resize', () => { if (untouched && current) fit(current, selected, false); });
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', colours);

  /** @param {import('./filter.js').Result} result @param {number} place @param {boolean} animate */
  function fit(result, place, animate) {
    const box = place >= 0 ? around(data.boxes[place]) : boxOf(data, result) ?? data.rahmen;
    map.fitBounds(box, { padding: PADDING, maxZoom: place >= 0 ? CLOSEST_PLACE : CLOSEST_RESULT, animate, linear: true, duration: MOVE });
  }

  return {
    ready: new Promise((resolve) => { map.once('style.load', resolve); }),
    idle: () => new Promise((resolve) => { map.once('idle', resolve); map.triggerRepaint(); }),
    /** @param {import('./filter.js').Result} result @param {number} place the chosen municipality, or -1 */
    show(result, place) {
      const other = result !== current;
      current = result;
      if (other) {
        setPoints();
        setDimmed();
      }
      selected = place;
      outline();
      names ??= labels(map, data, () => ({ rows, edge: edge() }));
      names.show(result.places, place);
    },
    /** @param {number | null} place */
    highlight(place) {
      if (hovered === (place ?? -1)) return;
      hovered = place ?? -1;
      outline();
    },
    /** @param {import('./filter.js').Result} result @param {number} place @param {boolean} [animate] */
    fit(result, place, animate = true) {
      untouched = true;
      fit(result, place, animate);
    },
    /** @param {[number, number, number]} view */
    jump(view) {
      untouched = false;
      map.jumpTo({ center: view.slice(0, 2), zoom: view[2] });
    },
    focus: () => map.getCanvas().focus({ preventScroll: true }),
  };
}

/** A municipality with its surroundings. @param {import('./data.js').Box} box */
function around([west, south, east, north]) {
  const [dx, dy] = [(east - west) * 0.9, (north - south) * 0.9];
  return [west - dx, south - dy, east + dx, north + dy];
}

/** @param {string} name */
function colourOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** @param {any} data */
function areaColour(data) {
  const found = data.codes.befragung.flatMap((/** @type {any} */ { code }) => [code, colourOf(`gebiet-${code}`)]);
  return ['match', ['get', 'status'], ...found, colourOf('karte-grund')];
}

/** @param {any[]} features */
const collection = (features) => ({ type: 'FeatureCollection', features });

/** @param {number} small @param {number} large */
const byZoom = (small, large) => ['interpolate', ['linear'], ['zoom'], 6, small, 11, large];

/** @param {string} state @param {any} yes @param {any} no */
const when = (state, yes, no) => ['case', ['boolean', ['feature-state', state], false], yes, no];

/** A municipality as a feature whose number is its place in the data. @param {any} data @param {number} place */
function area(data, place) {
  const { code } = data.codes.befragung[data.gemeinden.befragung[place]];
  return { type: 'Feature', id: place, properties: { status: code }, geometry: { type: 'MultiPolygon', coordinates: data.areas[place] } };
}

/** @param {any} data */
function style(data) {
  const codes = data.codes.befragung.map((/** @type {any} */ { code }) => code);
  const asked = codes.filter((/** @type {string} */ _, /** @type {number} */ at) => data.asked[at]);
  const most = Math.max(1, ...data.committeesOf.map((/** @type {number[]} */ found) => found.length));
  const offsets = Array.from({ length: 2 * most + 1 }, (_, at) => [(at - most) / 2 * (GRID + 1), 0]);
  const stroke = (/** @type {string} */ id, /** @type {string} */ source, /** @type {any} */ width, /** @type {object} */ more = {}) =>
    ({ id, type: 'line', source, layout: { 'line-join': 'round' }, paint: { 'line-width': width }, ...more });
  const lines = Object.entries(data.linien).flatMap(([level, found]) => /** @type {number[][]} */ (found).map((steps) =>
    ({ type: 'Feature', properties: { ebene: level }, geometry: { type: 'LineString', coordinates: line(steps, data.einheit) } })));
  return {
    version: 8,
    sources: {
      gemeinden: {
        type: 'geojson',
        tolerance: TOLERANCE,
        data: collection(data.areas.map((/** @type {any} */ _, /** @type {number} */ place) => area(data, place))),
      },
      linien: { type: 'geojson', tolerance: TOLERANCE, data: collection(lines) },
      hervor: { type: 'geojson', tolerance: TOLERANCE, data: collection([]) },
      gremien: { type: 'geojson', data: collection([]) },
    },
    layers: [
      // The borders drawn above hide the edges of the areas, so these need no smoothing of their own.
      { id: 'flaechen', type: 'fill', source: 'gemeinden', paint: { 'fill-antialias': false, 'fill-opacity': when('blass', 0.3, 1) } },
      stroke('grenzen', 'gemeinden', byZoom(0.3, 1.5), { layout: {} }),
      stroke('kreise', 'linien', byZoom(0.8, 1.8), { filter: ['==', ['get', 'ebene'], 'kreis'] }),
      stroke('land', 'linien', byZoom(1, 2.6), { filter: ['==', ['get', 'ebene'], 'land'] }),
      stroke('befragt', 'gemeinden', 1, {
        filter: ['in', ['get', 'status'], ['literal', asked]],
        paint: { 'line-width': byZoom(0.6, 2.4), 'line-opacity': when('blass', 0.25, 1) },
      }),
      stroke('hervor', 'hervor', byZoom(2.6, 4)),
      {
        id: 'gremien',
        type: 'symbol',
        source: 'gremien',
        layout: {
          'icon-image': ['get', 'bild'],
          'icon-offset': ['array', 'number', 2, ['at', ['+', ['get', 'platz'], most], ['literal', offsets]]],
          'icon-size': ['interpolate', ['linear'], ['zoom'], ...SIZES],
          'icon-allow-overlap': true,
          'icon-ignore-placement': true,
        },
      },
    ],
  };
}

/** @param {() => void} show */
function wholeMap(show) {
  const group = document.createElement('div');
  group.className = 'maplibregl-ctrl maplibregl-ctrl-group';
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'knopf-gesamt';
  button.textContent = '⤢';
  button.title = 'Ganze Karte zeigen';
  button.setAttribute('aria-label', 'Ganze Karte zeigen');
  button.addEventListener('click', show);
  group.append(button);
  return { onAdd: () => group, onRemove: () => group.remove() };
}
