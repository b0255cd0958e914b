import { imageOf } from './api.js';
import { svg } from './dom.js';
import { CATEGORIES, bounds, inWords, links } from './model.js';

/**
 * @typedef {import('./model.js').Garment} Garment
 * @typedef {(x: number, y: number) => [number, number]} Place Picture pixels to the drawing's.
 */

/**
 * A garment as SVG elements: lines, then points. Visible points are dots, occluded ones rings, and
 * lines to them dashed; absent ones are crosses, drawn only where asked for.
 * @param {Garment} garment
 * @param {Place} place
 * @param {{index: number, selected?: boolean, point?: string | null, label?: boolean,
 *   absent?: boolean, interactive?: boolean}} how
 */
export function drawn(garment, place, how) {
  const { color } = CATEGORIES[garment.category];
  const group = svg('g', { class: `garment${how.selected ? ' selected' : ''}`,
    'data-garment': how.index });
  group.style.setProperty('--color', color);
  for (const [from, to] of links(garment)) {
    const a = garment.keypoints[from], b = garment.keypoints[to];
    const [x1, y1] = place(a.x, a.y), [x2, y2] = place(b.x, b.y);
    const hidden = a.visibility === 'occluded' || b.visibility === 'occluded';
    const line = { x1, y1, x2, y2 };
    group.append(svg('line', { ...line, class: 'edge' }),
      svg('line', { ...line, class: hidden ? 'link hidden' : 'link' }));
  }
  if (how.label) group.append(handle(garment, place, how.index));
  for (const [name, point] of Object.entries(garment.keypoints)) {
    if (point.visibility === 'absent' && !how.absent) continue;
    const [x, y] = place(point.x, point.y);
    const current = how.point === name;
    const element = svg('g', { class: `point ${point.visibility}${current ? ' current' : ''}`,
      transform: `translate(${x} ${y})`, 'data-name': name });
    if (how.interactive) {
      for (const [key, value] of Object.entries({ tabindex: current ? 0 : -1, role: 'button',
        'aria-label': `${inWords(name)}, ${point.visibility}`, 'aria-pressed': current })) {
        element.setAttribute(key, String(value));
      }
    }
    if (current) element.append(svg('circle', { class: 'halo' }));
    element.append(point.visibility === 'absent'
      ? svg('path', { class: 'cross', d: 'M-5 -5L5 5M-5 5L5 -5' })
      : svg('circle', { class: 'dot' }));
    if (current && how.interactive) {
      element.append(svg('text', { class: 'name', y: -14 }, inWords(name)));
    }
    group.append(element);
  }
  return group;
}

/**
 * What a garment is called, and what it is moved by.
 * @param {Garment} garment
 * @param {Place} place
 * @param {number} index
 */
function handle(garment, place, index) {
  const [x1, y1, x2] = bounds(garment);
  const [x, y] = place((x1 + x2) / 2, y1);
  const text = `✥ ${garment.category}`;
  const width = 7.2 * text.length + 10;
  return svg('g', { class: 'handle', 'data-handle': index,
    transform: `translate(${x} ${Math.max(y - 34, 14)})` },
  svg('rect', { x: -width / 2, y: -12, width, height: 22, rx: 5 }), svg('text', { y: 4 }, text));
}

/**
 * A small picture with garments on it, which only shows.
 * @param {import('./model.js').Picture} picture
 * @param {Garment[]} garments
 */
export function preview(picture, garments) {
  const [width, height] = picture.size ?? [512, 512];
  const scale = 320 / Math.max(width, height);
  /** @type {Place} */
  const place = (x, y) => [x * scale, y * scale];
  return svg('svg', { class: 'preview', viewBox: `0 0 ${width * scale} ${height * scale}` },
    svg('image', { href: imageOf(picture), width: width * scale, height: height * scale }),
    ...garments.map((garment, index) => drawn(garment, place, { index, selected: true })));
}
