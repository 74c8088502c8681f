// @ts-check
/** A button beside every block of lines meant to be pasted; without scripts, or without a clipboard, there is none. */

const SHOWN = 2000;

/** @param {HTMLElement} block */
function addButton(block) {
  const frame = document.createElement('div');
  frame.className = 'mit-knopf';
  block.replaceWith(frame);
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'knopf-kopie';
  const label = document.createElement('span');
  label.textContent = 'Kopieren';
  const about = document.createElement('span');
  about.className = 'nur-vorlesen';
  about.textContent = ` ${block.dataset.kopie}`;
  button.append(label, about);
  const told = document.createElement('span');
  told.className = 'nur-vorlesen';
  told.setAttribute('role', 'status');
  frame.append(block, button, told);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(block.textContent ?? '');
      label.textContent = 'Kopiert';
    } catch {
      // The browser refuses; the lines stand there to be marked by hand.
      label.textContent = 'Geht nicht';
    }
    told.textContent = label.textContent;
    setTimeout(() => {
      label.textContent = 'Kopieren';
      told.textContent = '';
    }, SHOWN);
  });
}

if (navigator.clipboard) document.querySelectorAll('[data-kopie]').forEach((block) => addButton(/** @type {HTMLElement} */ (block)));
