import { ask } from './api.js';
import { $, h } from './dom.js';
import { inWords } from './model.js';

const PAUSE_MS = 350;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;
let latest = 0;

/**
 * Show what is made of the selected garment, lengths and crops, once it has stopped changing.
 * @param {number | undefined} number
 * @param {import('./model.js').Garment | undefined} garment
 */
export function showBeside(number, garment) {
  clearTimeout(waiting);
  const asked = ++latest;
  if (number === undefined || !garment) {
    $('#beside').replaceChildren();
    return;
  }
  waiting = setTimeout(async () => {
    const made = await ask(`/api/pictures/${number}/applied`, garment).catch(() => null);
    if (asked !== latest) return;
    $('#beside').replaceChildren(...(made ? [lengths(made), crops(made)] : []));
  }, PAUSE_MS);
}

/** @param {{unit: string, lengths: {name: string, value: number | null, pixels: number | null}[]}} made */
function lengths({ unit, lengths: all }) {
  return h('table', {}, h('caption', {}, `Lengths, as multiples of the ${inWords(unit)}`),
    ...all.filter((each) => each.pixels !== null).map(({ name, value, pixels }) => h('tr', {},
      h('th', { scope: 'row' }, inWords(name)), h('td', {}, value === null ? '' : value.toFixed(2)),
      h('td', {}, `${Math.round(pixels ?? 0)} px`))));
}

/** @param {{crops: {name: string, image: string}[]}} made */
function crops({ crops: all }) {
  return h('div', { className: 'crops' }, ...all.map(({ name, image }) => h('figure', {},
    h('img', { src: `data:image/jpeg;base64,${image}`, alt: inWords(name) }), h('figcaption', {}, inWords(name)))));
}
