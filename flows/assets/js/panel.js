// @ts-check
// "Was wissen wir hier?": all facts of a municipality, also what is not known. A region, not a dialog: the page stays
// usable; focus goes into it when it opens and back when it closes.
import { byId, counted, element, inwards, number, outwards } from './dom.js';
import { ownDistrict, statusText } from './data.js';
import { sign } from './signs.js';

/** @param {any} data @param {() => void} close */
export function panel(data, close) {
  const region = byId('auskunft');
  const body = byId('auskunft-inhalt');
  byId('auskunft-schliessen').addEventListener('click', close);
  let open = -1;

  return {
    /** The open municipality, or -1. */
    get place() { return open; },
    get holdsFocus() { return region.contains(document.activeElement); },
    /** @param {number} place @param {string} [committee] the committee to begin with */
    show(place, committee = '') {
      if (place !== open) {
        open = place;
        byId('auskunft-titel').textContent = data.gemeinden.name[place];
        body.replaceChildren(...content(data, place));
        region.hidden = false;
        region.scrollTop = 0;
      }
      for (const one of body.querySelectorAll('.eintrag')) one.classList.toggle('gemeint', one.id === `auskunft-${committee}`);
      body.querySelector('.gemeint')?.scrollIntoView({ block: 'nearest' });
    },
    focus() { region.focus({ preventScroll: false }); },
    hide() {
      open = -1;
      region.hidden = true;
    },
  };
}

/** @param {any} data @param {number} place */
function content(data, place) {
  const { art, ags, seite } = data.gemeinden;
  const committees = data.committeesOf[place].map((/** @type {number} */ number_) => data.gremien[number_]);
  const hints = data.hinweise.filter((/** @type {any} */ hint) => hint.ort === place);
  const free = data.unincorporated.has(place);
  const unknown = gaps(data, place, committees);
  const kind = art[place] === null ? '' : `${data.codes.gemeinde[art[place]].name} · `;
  return [
    element('p', { class: 'fakten' }, `${kind}Schlüssel (AGS) ${ags[place]}`),
    data.synthetisch && element('p', { class: 'synthetisch' }, data.synthetisch),
    town(data, place),
    ...(committees.length ? [element('h3', {}, counted(committees.length, 'bekanntes Gremium', 'bekannte Gremien')),
      ...committees.map((/** @type {any} */ body) => committee(data, place, body))]
      // An unincorporated area is no municipality: it is not asked, and founds no committee.
      : free ? [] : [element('h3', {}, 'Gremien'), ...none(data, place)]),
    ...(hints.length ? [element('h3', {}, 'Weitere Fundstellen'),
      element('p', { class: 'fakten' }, 'Kein Beleg dafür, dass ein Gremium besteht.'),
      element('ul', { class: 'fundstellen' }, ...hints.map(hint))] : []),
    ...(unknown.length ? [element('h3', {}, 'Was wir nicht wissen'),
      element('ul', {}, ...unknown.map((text) => element('li', {}, text)))] : []),
    element('p', { class: 'wege' },
      seite[place] && inwards(seite[place], `Eigene Seite: ${data.gemeinden.name[place]}`),
      report(data, data.gemeinden.name[place], ags[place])),
  ].filter((part) => part instanceof Node);
}

/** @param {any} data @param {number} place */
function town(data, place) {
  const { einwohner, kreis, verband, befragung, ags } = data.gemeinden;
  const state = data.codes.befragung[befragung[place]];
  return terms([
    [`Einwohner am ${data.einwohnerStand}`, data.einwohnerStand && (einwohner[place] === null ? 'nicht bekannt' : number(einwohner[place]))],
    ['Land', data.names.land.get(ags[place].slice(0, 2))?.name ?? ''],
    ['Kreis', ownDistrict(data, place) ? '' : data.kreise[kreis[place]][1]],
    ['Gemeindeverband', verband[place] === null ? '' : data.codes.verband[verband[place]].name],
    [`Befragung ${data.welle}`, data.welle && !data.unincorporated.has(place) && element('span', {}, element('strong', {}, state.name), `. ${state.definition} `,
      ...(data.antworten[ags[place]] ?? []).map((/** @type {string} */ text) => `${text} `),
      'Welche Städte befragt wurden, ist nachgerechnet, nicht überliefert.')],
  ]);
}

/** @param {any} data @param {number} place @param {any} body */
function committee(data, place, body) {
  const others = body.orte.filter((/** @type {number} */ other) => other !== place).map((/** @type {number} */ other) => data.gemeinden.name[other]);
  const names = (/** @type {string} */ list, /** @type {string[]} */ codes) => codes.map((code) => data.names[list].get(code).name).join(', ');
  return element('article', { class: 'eintrag', id: `auskunft-${body.id}` },
    element('h4', {}, sign(data, body.art, body.status), inwards(`gremien.html#gremium-${encodeURIComponent(body.id)}`, body.name)),
    terms([
      ['Form', data.names.art.get(body.art).name],
      ['Status', element('strong', {}, statusText(data, body))],
      ['Gemeinsam mit', others.join(', ')],
      ['Themen', names('thema', body.themen)],
      ['Mitglieder', names('mitglied', body.mitglieder)],
      ['Gegründet', body.gegruendet],
      ['Vorsitz', body.vorsitz],
      ['Turnus', body.turnus],
      ['Gehört zu', body.teilVon],
      ['Möglicherweise dasselbe wie', body.identisch.join('; ')],
    ]),
    element('details', { class: 'belege-liste' },
      element('summary', {}, `${counted(body.belege.length, 'Beleg', 'Belege')}, neuester zuerst`),
      element('ul', { class: 'fundstellen' }, ...body.belege.map(evidence))),
    report(data, body.name, body.id));
}

/** @param {import('./data.js').Evidence} piece */
function evidence(piece) {
  return element('li', {},
    element('strong', {}, piece.datum || 'ohne Datum'), piece.status && ` · zeigt: ${piece.status}`, ' · ',
    outwards(piece.url, piece.rechner || 'Fundstelle', piece.quelle),
    piece.zustand && element('strong', {}, ` ${piece.zustand}`),
    element('br'), piece.zeigt);
}

/** @param {any} found */
function hint(found) {
  return element('li', {},
    element('strong', {}, found.titel), ` (${found.art}, ${found.datum || 'ohne Datum'}) · `,
    outwards(found.url, found.rechner || 'Fundstelle', found.titel), element('br'), found.zeigt);
}

/** @param {any} data @param {number} place */
function none(data, place) {
  const land = data.notRecorded(place);
  return [
    element('p', {}, land
      ? `Für das Land ${land} sind in dieser Ausgabe keine Gremien erfasst. Das heißt weder, dass hier gesucht wurde, noch, dass es keine gibt.`
      : 'Uns ist kein Präventionsgremium aus öffentlichen Belegen bekannt. Das heißt nicht, dass es keines gibt.'),
    ...data.beratung.map((/** @type {any} */ offer) => element('p', { class: 'angebot' },
      element('strong', {}, 'Ein Gremium gründen? '), outwards(offer.url, offer.titel), ` – ${offer.wofuer}`, offer.von && ` Von: ${offer.von}.`,
      offer.bezug && ` ${offer.bezug}.`, ' ', inwards('angebote.html', 'Alle Angebote'))),
  ];
}

/** What is missing, said as "not known", never as "there is none". @param {any} data @param {number} place @param {any[]} committees */
function gaps(data, place, committees) {
  const { einwohner, befragung } = data.gemeinden;
  const found = [];
  if (committees.length || !data.unincorporated.has(place)) {
    found.push(data.notRecorded(place) ? 'Ob es hier Gremien gibt.' : 'Ob es Gremien gibt, zu denen wir keinen öffentlichen Beleg kennen.');
  }
  if (einwohner[place] === null) found.push('Die Einwohnerzahl.');
  const state = data.codes.befragung[befragung[place]].code;
  if (state === 'nicht_veroeffentlicht') found.push(`Ob und was die Stadt in der Befragung ${data.welle} geantwortet hat.`);
  for (const body of committees) {
    const missing = [
      !body.stand && 'Datum des Status', !body.gegruendet && 'Gründungsjahr', !body.vorsitz && 'Vorsitz',
      !body.turnus && 'Turnus', !body.mitglieder.length && 'Mitglieder', !body.themen.length && 'Themen',
    ].filter(Boolean);
    if (body.stand) found.push(`${body.name}: was seit dem Stand ${body.stand} geschehen ist${missing.length ? `; außerdem ${missing.join(', ')}` : ''}.`);
    else found.push(`${body.name}: ${missing.join(', ')}.`);
  }
  return found;
}

/** @param {any} data @param {string} name @param {string} id the record that the message is about */
function report(data, name, id) {
  if (!data.meldung) return element('span', { class: 'fakten melden' }, 'Fehler melden: Eine Adresse ist in dieser Ausgabe noch nicht angegeben.');
  const subject = encodeURIComponent(`Fehler melden: ${name} (${id})`);
  const text = encodeURIComponent(`Eintrag: ${id}\nAusgabe: ${data.ausgabe}\n\nWas ist falsch, und auf welcher öffentlichen Seite ist das zu sehen?\n`);
  const link = outwards(`mailto:${data.meldung}?subject=${subject}&body=${text}`, 'Fehler melden', name);
  link.classList.add('melden');
  return link;
}

/** A list of terms; those without a value are left out. @param {[string, string | Node][]} pairs */
function terms(pairs) {
  return element('dl', {}, ...pairs.filter(([, value]) => value)
    .map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, value))));
}
