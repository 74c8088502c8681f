// @ts-check
// Signs of committees: the outline says the kind, stroke and colour the status. As SVG for list and panel, as pictures
// for the map; colours stand in farben.css only.
const SVG = 'http://www.w3.org/2000/svg';
const PARTS = ['hof', 'form', 'marke'];
/** Edge of a sign in farben.css and in the data, and the room around it in its picture. */
export const GRID = 24;
const MARGIN = 3;

/** @param {any} data @param {string} kind @param {string} status */
export function sign(data, kind, status) {
  const svg = document.createElementNS(SVG, 'svg');
  const attributes = { class: `zeichen status-${status}`, viewBox: '-2 -2 28 28', width: '22', height: '22',
    'aria-hidden': 'true', focusable: 'false' };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  for (const part of PARTS) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', part);
    path.setAttribute('d', part === 'marke' ? data.marken[status] : data.formen[kind]);
    svg.append(path);
  }
  return svg;
}

/**
 * The sign as pixels, in the colours that farben.css gives it now.
 * @param {any} data @param {string} kind @param {string} status
 */
export function picture(data, kind, status) {
  const svg = sign(data, kind, status);
  svg.classList.add('unsichtbar');
  document.body.append(svg);
  const resolution = Math.max(2, Math.ceil(window.devicePixelRatio || 1));
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = (GRID + 2 * MARGIN) * resolution;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  pen.scale(resolution, resolution);
  pen.translate(MARGIN, MARGIN);
  pen.lineCap = pen.lineJoin = 'round';
  for (const part of svg.querySelectorAll('path')) {
    const style = getComputedStyle(part);
    const path = new Path2D(part.getAttribute('d') ?? '');
    pen.lineWidth = parseFloat(style.strokeWidth);
    pen.strokeStyle = style.stroke;
    if (style.fill !== 'none') {
      pen.fillStyle = style.fill;
      pen.fill(path);
    }
    pen.stroke(path);
  }
  svg.remove();
  return { image: pen.getImageData(0, 0, canvas.width, canvas.height), options: { pixelRatio: resolution } };
}
