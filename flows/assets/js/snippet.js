// @ts-check
// "Karte einbetten": the lines to paste, for exactly what the map shows now.

/** The page may lack it: the embedded map does. */
export function snippet() {
  const code = document.getElementById('einbetten-code');
  const button = document.getElementById('einbetten-kopieren');
  const message = document.getElementById('einbetten-meldung');
  button?.addEventListener('click', async () => {
    const text = code?.textContent ?? '';
    try {
      await navigator.clipboard.writeText(text);
      if (message) message.textContent = 'Kopiert.';
    } catch {
      // Without the right to copy, the lines are marked for the reader to copy.
      getSelection()?.selectAllChildren(/** @type {Node} */ (code));
      if (message) message.textContent = 'Markiert. Bitte mit Strg+C kopieren.';
    }
  });
  return {
    /** @param {string} query */
    show(query) {
      const full = document.getElementById('volle-karte');
      if (full instanceof HTMLAnchorElement) full.href = `index.html${query}`;
      if (!code) return;
      const address = new URL(`karte-einbetten.html${query}`, location.href).href;
      code.textContent = `<iframe src="${address.replaceAll('&', '&amp;')}" title="${document.title.replaceAll('"', '&quot;')}" width="100%" height="720" loading="lazy"></iframe>`;
    },
  };
}
