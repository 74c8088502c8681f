// Die Karte der Seite. Klassisches Skript ohne Abruf von Dateien: läuft aus einem Ordner wie von einem Server.
// Farben liest es aus der Legende, damit sie nur in farben.css stehen; Texte setzt es nur als Text ein.
(function () {
  'use strict';

  var daten = window.KARTE;
  var rahmen = document.getElementById('karte');
  var meldung = document.getElementById('karte-meldung');
  var schmal = window.matchMedia('(max-width: 40rem)');
  var dunkel = window.matchMedia('(prefers-color-scheme: dark)');
  var zahl = new Intl.NumberFormat('de-DE');
  var RASTER = 24; // Kantenlänge eines Zeichens in farben.css und Daten
  var GROESSEN = [5.5, 0.5, 9.5, 1.05]; // Maßstab und Größe der Zeichen: von … bis …

  var TEXTE = {
    'Map.Title': 'Kartenfläche. Pfeiltasten verschieben, Plus und Minus ändern den Maßstab.',
    'NavigationControl.ZoomIn': 'Vergrößern',
    'NavigationControl.ZoomOut': 'Verkleinern',
    'FullscreenControl.Enter': 'Vollbild',
    'FullscreenControl.Exit': 'Vollbild beenden',
    'Popup.Close': 'Schließen',
    'CooperativeGesturesHandler.WindowsHelpText': 'Zum Zoomen Strg gedrückt halten und scrollen',
    'CooperativeGesturesHandler.MacHelpText': 'Zum Zoomen ⌘ gedrückt halten und scrollen',
    'CooperativeGesturesHandler.MobileHelpText': 'Karte mit zwei Fingern verschieben'
  };

  function ohneKarte() {
    rahmen.hidden = true;
    meldung.hidden = false;
  }

  function element(name, klasse, text) {
    var neu = document.createElement(name);
    if (klasse) neu.className = klasse;
    if (text) neu.textContent = text;
    return neu;
  }

  // --- Farben und Zeichen -------------------------------------------------------------------------------------------

  function farbe(name) {
    return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
  }

  function flaechenfarbe() {
    var ausdruck = ['match', ['get', 'status']];
    daten.klassen.forEach(function (klasse) { ausdruck.push(klasse.code, farbe('gebiet-' + klasse.code)); });
    ausdruck.push(farbe('karte-grund'));
    return ausdruck;
  }

  function zeichen(form, status) {
    var legende = document.querySelector('.legende .zeichen.status-' + status);
    var aufloesung = Math.max(2, Math.ceil(window.devicePixelRatio || 1));
    var rand = 3;
    var leinwand = element('canvas');
    leinwand.width = leinwand.height = (RASTER + 2 * rand) * aufloesung;
    var stift = leinwand.getContext('2d', { willReadFrequently: true });
    stift.scale(aufloesung, aufloesung);
    stift.translate(rand, rand);
    stift.lineCap = stift.lineJoin = 'round';
    ['hof', 'form', 'marke'].forEach(function (teil) {
      var stil = getComputedStyle(legende.querySelector('.' + teil));
      var pfad = new Path2D(teil === 'marke' ? daten.marken[status] : daten.formen[form]);
      stift.lineWidth = parseFloat(stil.strokeWidth);
      stift.strokeStyle = stil.stroke;
      if (stil.fill !== 'none') {
        stift.fillStyle = stil.fill;
        stift.fill(pfad);
      }
      stift.stroke(pfad);
    });
    var bild = stift.getImageData(0, 0, leinwand.width, leinwand.height);
    return { bild: bild, angaben: { pixelRatio: aufloesung } };
  }

  function setzeZeichen(karte) {
    daten.gremien.forEach(function (gremium) {
      var name = gremium.form + ' ' + gremium.status;
      var neu = zeichen(gremium.form, gremium.status);
      if (karte.hasImage(name)) karte.updateImage(name, neu.bild);
      else karte.addImage(name, neu.bild, neu.angaben);
    });
  }

  function setzeFarben(karte) {
    karte.setPaintProperty('flaechen', 'fill-color', flaechenfarbe());
    karte.setPaintProperty('grenzen', 'line-color', farbe('karte-grenze'));
    karte.setPaintProperty('kreise', 'line-color', farbe('karte-kreis'));
    karte.setPaintProperty('land', 'line-color', farbe('karte-land'));
    karte.setPaintProperty('befragt', 'line-color', farbe('karte-befragt'));
    karte.setPaintProperty('gezeigt', 'line-color', farbe('karte-befragt'));
    setzeZeichen(karte);
  }

  // --- Aufbau -------------------------------------------------------------------------------------------------------

  function orte() {
    var nach = {};
    daten.orte.forEach(function (ort) { nach[ort[0]] = [ort[2], ort[3]]; });
    return nach;
  }

  function punkte() {
    var lage = orte();
    return {
      type: 'FeatureCollection',
      features: daten.gremien.map(function (gremium, stelle) {
        return {
          type: 'Feature',
          geometry: { type: 'Point', coordinates: lage[gremium.ags] },
          properties: { stelle: stelle, bild: gremium.form + ' ' + gremium.status }
        };
      })
    };
  }

  function linie(id, quelle, filter, breite) {
    var ebene = { id: id, type: 'line', source: quelle, paint: { 'line-width': breite }, layout: { 'line-join': 'round' } };
    if (filter) ebene.filter = filter;
    return ebene;
  }

  function nachZoom(klein, gross) {
    return ['interpolate', ['linear'], ['zoom'], 6, klein, 11, gross];
  }

  function stil() {
    var befragt = daten.klassen.filter(function (k) { return k.befragt; }).map(function (k) { return k.code; });
    var abstaende = daten.gremien.map(function (gremium) { return [gremium.platz * (RASTER + 1), 0]; });
    return {
      version: 8,
      sources: {
        gemeinden: { type: 'geojson', data: daten.gemeinden, tolerance: 0.1 },
        linien: { type: 'geojson', data: daten.linien, tolerance: 0.1 },
        gremien: { type: 'geojson', data: punkte() }
      },
      layers: [
        { id: 'flaechen', type: 'fill', source: 'gemeinden' },
        linie('grenzen', 'gemeinden', null, nachZoom(0.3, 1.5)),
        linie('kreise', 'linien', ['==', ['get', 'ebene'], 'kreis'], nachZoom(0.8, 1.8)),
        linie('land', 'linien', ['==', ['get', 'ebene'], 'land'], nachZoom(1, 2.6)),
        linie('befragt', 'gemeinden', ['in', ['get', 'status'], ['literal', befragt]], nachZoom(0.6, 2.4)),
        linie('gezeigt', 'gemeinden', ['==', ['get', 'ags'], ''], nachZoom(2.4, 4)),
        {
          id: 'gremien',
          type: 'symbol',
          source: 'gremien',
          layout: {
            'icon-image': ['get', 'bild'],
            // Felder werden in den Kacheln zu Text; darum stehen die Abstände hier und nicht in den Eigenschaften.
            'icon-offset': ['array', 'number', 2, ['at', ['get', 'stelle'], ['literal', abstaende]]],
            'icon-size': ['interpolate', ['linear'], ['zoom']].concat(GROESSEN),
            'icon-allow-overlap': true,
            'icon-ignore-placement': true
          }
        }
      ]
    };
  }

  function knopfGesamt(karte) {
    var gruppe = element('div', 'maplibregl-ctrl maplibregl-ctrl-group');
    var knopf = element('button', 'knopf-gesamt', '⤢');
    knopf.type = 'button';
    knopf.title = 'Ganze Karte zeigen';
    knopf.setAttribute('aria-label', 'Ganze Karte zeigen');
    knopf.addEventListener('click', function () { karte.fitBounds(daten.rahmen, { padding: 14 }); });
    gruppe.appendChild(knopf);
    return { onAdd: function () { return gruppe; }, onRemove: function () { gruppe.remove(); } };
  }

  // --- Ortsnamen: HTML über der Karte, die größten Orte zuerst, keiner über einem anderen oder einem Zeichen -----------

  function namen(karte) {
    var schicht = element('div', 'ortsnamen');
    schicht.setAttribute('aria-hidden', 'true');
    karte.getCanvasContainer().appendChild(schicht);
    var lage = orte();
    var reihen = {};
    daten.gremien.forEach(function (gremium) { reihen[gremium.ags] = (reihen[gremium.ags] || 0) + 1; });
    var schilder = daten.orte.map(function (ort) {
      var schild = element('span', 'ortsname', ort[1]);
      schicht.appendChild(schild);
      return { schild: schild, ags: ort[0], punkt: lage[ort[0]], breite: schild.offsetWidth, hoehe: schild.offsetHeight };
    });

    function kante() {
      var anteil = (karte.getZoom() - GROESSEN[0]) / (GROESSEN[2] - GROESSEN[0]);
      return RASTER * (GROESSEN[1] + (GROESSEN[3] - GROESSEN[1]) * Math.max(0, Math.min(1, anteil)));
    }

    // Abstände der linken oberen Ecke eines Schilds vom Punkt des Orts, die beste zuerst.
    function plaetze(eintrag) {
      var links = -eintrag.breite / 2;
      var reihe = reihen[eintrag.ags] || 0;
      if (!reihe) return [[links, -eintrag.hoehe / 2]];
      var halb = kante() / 2;
      return [
        [links, halb - 1], [links, -halb - eintrag.hoehe + 1],
        [reihe * halb, -eintrag.hoehe / 2], [-reihe * halb - eintrag.breite, -eintrag.hoehe / 2]
      ];
    }

    function setze(eintrag) {
      var punkt = karte.project(eintrag.punkt);
      eintrag.schild.style.transform =
        'translate(' + Math.round(punkt.x + eintrag.platz[0]) + 'px,' + Math.round(punkt.y + eintrag.platz[1]) + 'px)';
    }

    function frei(kasten, belegt) {
      return belegt.every(function (b) {
        return kasten[2] <= b[0] || b[2] <= kasten[0] || kasten[3] <= b[1] || b[3] <= kasten[1];
      });
    }

    function ordne() {
      var seite = kante();
      var breite = karte.getContainer().clientWidth;
      var belegt = Object.keys(reihen).map(function (ags) {
        var mitte = karte.project(lage[ags]);
        var halb = reihen[ags] * seite / 2;
        return [mitte.x - halb, mitte.y - seite / 2 + 1, mitte.x + halb, mitte.y + seite / 2 - 1];
      });
      schilder.forEach(function (eintrag) {
        var punkt = karte.project(eintrag.punkt);
        eintrag.platz = plaetze(eintrag).filter(function (platz) {
          var x = punkt.x + platz[0];
          var y = punkt.y + platz[1];
          var kasten = [x, y, x + eintrag.breite, y + eintrag.hoehe];
          return x >= 0 && kasten[2] <= breite && frei(kasten, belegt);
        })[0];
        eintrag.schild.classList.toggle('sichtbar', Boolean(eintrag.platz));
        if (!eintrag.platz) return;
        var links = punkt.x + eintrag.platz[0];
        var oben = punkt.y + eintrag.platz[1];
        belegt.push([links, oben, links + eintrag.breite, oben + eintrag.hoehe]);
        setze(eintrag);
      });
    }

    karte.on('move', function () {
      schilder.forEach(function (eintrag) { if (eintrag.platz) setze(eintrag); });
    });
    karte.on('moveend', ordne);
    ordne();
  }

  // --- Auskunft -----------------------------------------------------------------------------------------------------

  function angabe(liste, name, wert) {
    liste.appendChild(element('dt', '', name));
    var inhalt = element('dd');
    if (typeof wert === 'string') inhalt.textContent = wert; else inhalt.appendChild(wert);
    liste.appendChild(inhalt);
  }

  function nachCode(liste, code) {
    return liste.filter(function (eintrag) { return eintrag.code === code; })[0].name;
  }

  function statusText(gremium) {
    return nachCode(daten.status, gremium.status) + (gremium.stand ? ' (Stand ' + gremium.stand + ')' : ' (nur Belege ohne Datum)');
  }

  function kopf(titel, unter) {
    var inhalt = element('div', 'auskunft');
    if (daten.synthetisch) inhalt.appendChild(element('p', 'synthetisch', daten.synthetisch));
    inhalt.appendChild(element('p', 'auskunft-art', unter));
    inhalt.appendChild(element('h3', '', titel));
    return inhalt;
  }

  function auskunftGremium(gremium) {
    var inhalt = kopf(gremium.name, gremium.art);
    var liste = element('dl');
    angabe(liste, 'Status', statusText(gremium));
    angabe(liste, gremium.gemeinden.length > 1 ? 'Gemeinden' : 'Gemeinde', gremium.gemeinden.join(', '));
    if (gremium.identisch.length) angabe(liste, 'Möglicherweise identisch mit', gremium.identisch.join('; '));
    if (gremium.beleg && /^https?:\/\//i.test(gremium.beleg)) {
      var verweis = element('a', '', gremium.quelle);
      verweis.href = gremium.beleg;
      verweis.rel = 'noopener noreferrer';
      angabe(liste, gremium.stand ? 'Beleg' : 'Beleg ohne Datum', verweis);
    }
    inhalt.appendChild(liste);
    var zeile = element('a', '', 'Alle Belege in der Tabelle');
    zeile.href = '#gremium-' + gremium.id;
    inhalt.appendChild(zeile);
    return inhalt;
  }

  function auskunftGemeinde(gemeinde) {
    var inhalt = kopf(gemeinde.gemeinde, 'Gemeinde');
    var liste = element('dl');
    var kreis = daten.kreise[gemeinde.ags.slice(0, 5)];
    angabe(liste, 'Kreis', kreis);
    angabe(liste, 'Einwohner am ' + daten.einwohnerStand, gemeinde.einwohner === null ? 'nicht bekannt' : zahl.format(gemeinde.einwohner));
    angabe(liste, 'Befragung ' + daten.welle + ' (nachgerechneter Rahmen)', nachCode(daten.klassen, gemeinde.status));
    angabe(liste, 'Gremien', gemeinde.gremien ? zahl.format(gemeinde.gremien) + ' bekannt' : 'uns ist keines bekannt');
    inhalt.appendChild(liste);
    return inhalt;
  }

  function auskunft(karte) {
    var fenster = null;

    function treffer(punkt, ebene, weite) {
      var kasten = [[punkt.x - weite, punkt.y - weite], [punkt.x + weite, punkt.y + weite]];
      return karte.queryRenderedFeatures(weite ? kasten : punkt, { layers: [ebene] })[0];
    }

    // Das Fenster öffnet sich zur größeren Seite der Karte hin und bleibt beim Verschieben dort.
    function anker(punkt) {
      var flaeche = karte.getContainer();
      var seite = punkt.x < 160 ? '-left' : punkt.x > flaeche.clientWidth - 160 ? '-right' : '';
      return (punkt.y < flaeche.clientHeight / 2 ? 'top' : 'bottom') + seite;
    }

    // Verschiebt die Karte so weit, dass das Fenster ganz in ihr liegt; passt es nicht, zählt sein Anfang.
    // Auf kleinen Schirmen liegt es am unteren Rand (stil.css); dann bleibt die angeklickte Stelle darüber zu sehen.
    function rueckeInsBild(blatt, punkt) {
      var innen = blatt.getBoundingClientRect();
      var aussen = karte.getContainer().getBoundingClientRect();
      if (schmal.matches) {
        karte.panBy([0, Math.max(0, punkt.y + 24 - (innen.top - aussen.top))]);
        return;
      }
      var x = Math.max(0, innen.right + 8 - aussen.right) || Math.min(0, innen.left - 8 - aussen.left);
      var y = Math.max(0, innen.bottom + 8 - aussen.bottom);
      y = innen.top - y < aussen.top + 8 ? innen.top - 8 - aussen.top : y;
      if (x || y) karte.panBy([x, y]);
    }

    function zeige(ags) {
      karte.setFilter('gezeigt', ['==', ['get', 'ags'], ags]);
    }

    karte.on('click', function (ereignis) {
      var gremium = treffer(ereignis.point, 'gremien', 3);
      var gemeinde = treffer(ereignis.point, 'flaechen', 0);
      if (fenster) fenster.remove();
      if (!gremium && !gemeinde) return;
      var inhalt = gremium ? auskunftGremium(daten.gremien[gremium.properties.stelle]) : auskunftGemeinde(gemeinde.properties);
      zeige(gremium ? daten.gremien[gremium.properties.stelle].ags : gemeinde.properties.ags);
      fenster = new maplibregl.Popup({ maxWidth: '300px', anchor: anker(ereignis.point), locale: TEXTE })
        .setLngLat(ereignis.lngLat).setDOMContent(inhalt).addTo(karte);
      fenster.on('close', function () { zeige(''); });
      rueckeInsBild(fenster.getElement(), ereignis.point);
    });
    karte.on('mousemove', function (ereignis) {
      var etwas = treffer(ereignis.point, 'gremien', 3) || treffer(ereignis.point, 'flaechen', 0);
      karte.getCanvas().style.cursor = etwas ? 'pointer' : '';
    });
  }

  // --- Start --------------------------------------------------------------------------------------------------------

  if (!daten || !window.maplibregl) {
    ohneKarte();
    return;
  }
  var karte;
  try {
    karte = new maplibregl.Map({
      container: rahmen,
      style: stil(),
      bounds: daten.rahmen,
      fitBoundsOptions: { padding: 14 },
      attributionControl: false,
      cooperativeGestures: true,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      renderWorldCopies: false,
      maxZoom: 13,
      locale: TEXTE
    });
  } catch (fehler) {
    ohneKarte();
    return;
  }
  karte.touchZoomRotate.disableRotation();
  karte.keyboard.disableRotation();
  karte.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'top-right');
  karte.addControl(knopfGesamt(karte), 'top-right');
  karte.on('style.load', function () { setzeFarben(karte); });
  karte.on('load', function () {
    namen(karte);
    auskunft(karte);
    document.getElementById('karte-bild').classList.add('nur-druck');
    karte.once('idle', function () { rahmen.dataset.bereit = 'ja'; });
  });
  dunkel.addEventListener('change', function () { setzeFarben(karte); });

  // Solange niemand die Karte bewegt hat, füllt sie auch ein gedrehtes oder schmaleres Fenster.
  var bewegt = false;
  karte.on('movestart', function (ereignis) { if (ereignis.originalEvent) bewegt = true; });
  karte.on('resize', function () { if (!bewegt) karte.fitBounds(daten.rahmen, { padding: 14, animate: false }); });
})();
