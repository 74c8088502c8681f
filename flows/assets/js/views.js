// @ts-check
// On narrow screens map and list take turns; on wide ones both stand beside each other and the buttons are away.
import { byId } from './dom.js';

/** @param {(view: string) => void} choose */
export function views(choose) {
  const buttons = /** @type {HTMLButtonElement[]} */ ([...byId('ansichten').querySelectorAll('button')]);
  const sheet = byId('kartenblatt');
  for (const button of buttons) button.addEventListener('click', () => choose(button.value));
  return {
    /** @param {string} view @param {boolean} panel whether a panel is open: it is shown in both views */
    show(view, panel) {
      const current = view || 'karte';
      sheet.dataset.ansicht = current;
      sheet.classList.toggle('mit-auskunft', panel);
      for (const button of buttons) button.setAttribute('aria-pressed', String(button.value === current));
    },
  };
}
