import { ask } from './api.js';
import { $, h } from './dom.js';
import { preview } from './draw.js';

const KEYS = [
  ['drag a point', 'move it; with a finger too'],
  ['drag a label, Alt + arrows', 'move the whole garment'],
  ['arrows, Shift + arrows', 'move the point by 1 or 10 pixels'],
  ['Tab, Shift + Tab', 'next or previous point'],
  ['V', 'visible → occluded → absent'],
  ['C, Shift + C', 'next or previous category'],
  ['M', 'swap left and right'],
  ['G', 'next garment'],
  ['A', 'add a garment: draw a box'],
  ['P', 'predict the garment again: draw a box'],
  ['Delete', 'take the garment out'],
  ['Ctrl-Z, Ctrl-Y', 'undo, redo'],
  ['Enter', 'accept and go to the next picture'],
  ['Page Up, Page Down', 'previous or next picture'],
  ['wheel, + and -, 0', 'zoom at the pointer, whole picture'],
  ['Esc', 'give up a drag or a box'],
  ['?', 'this list'],
];

/** @param {string} author @param {(author: string) => void} onAuthor */
export function openHelp(author, onAuthor) {
  const name = h('input', { value: author, maxLength: 80, 'aria-label': 'Your name' });
  name.addEventListener('change', () => { if (name.value.trim()) onAuthor(name.value.trim()); });
  open($('#help'), 'Keys', h('dl', {}, ...KEYS.flatMap(([keys, what]) => [h('dt', {}, keys), h('dd', {}, what)])),
    h('label', {}, 'Changes are kept under the name ', name));
}

/** @param {{source: string, writes_back: boolean}} session */
export function openExport(session) {
  const result = h('p', { role: 'status' });
  const links = [['fashionai', 'FashionAI CSV'], ['json', 'JSON'], ['coco', 'COCO']].map(([form, name]) =>
    h('a', { href: `/api/export?form=${form}`, download: '', className: 'button' }, `Download ${name}`));
  const write = h('button', { className: 'main', onclick: async () => {
    write.disabled = true;
    result.textContent = await ask('/api/write-back', {})
      .then((answer) => answer.notes.join('. '), (error) => error.message);
    write.disabled = false;
  } }, `Write ${session.source}`);
  open($('#export'), 'Export', h('div', { className: 'steps' }, ...links),
    session.writes_back ? h('p', {}, write, ' puts what changed here into the file that was opened; all else in it stays.') : null,
    h('p', {}, 'A CSV holds one garment a picture; JSON and COCO hold all of them.'), result);
}

/**
 * Two people changed one picture: show both, and let this one choose.
 * @param {import('./saver.js').Change} mine
 * @param {any} theirs
 * @param {import('./model.js').Picture} picture
 * @returns {Promise<'mine' | 'theirs'>}
 */
export function chooseVersion(mine, theirs, picture) {
  return new Promise((resolve) => {
    const dialog = $('#conflict');
    /** @param {'mine' | 'theirs'} which */
    const chosen = (which) => { dialog.close(); resolve(which); };
    dialog.oncancel = (/** @type {Event} */ event) => event.preventDefault();
    const when = new Date(1000 * theirs.time).toLocaleTimeString();
    open(dialog, 'Somebody else has changed this picture', h('div', { className: 'versions' },
      h('figure', {}, preview(picture, theirs.garments),
        h('figcaption', {}, `${theirs.author}, ${when}: ${summary(theirs)}`),
        h('button', { className: 'main', onclick: () => chosen('theirs') }, 'Keep theirs')),
      h('figure', {}, preview(picture, mine.garments),
        h('figcaption', {}, `yours: ${summary(mine)}`),
        h('button', { onclick: () => chosen('mine') }, 'Save mine instead'))),
    h('p', {}, 'The other version stays in the history either way.'));
    dialog.querySelector('.close').remove();
  });
}

/** @param {{garments: any[], state: string}} version */
function summary({ garments, state }) {
  return `${garments.map((each) => each.category).join(', ') || 'no garment'}, ${state}`;
}

/** @param {any} dialog @param {string} title @param {...(Node | null)} content */
function open(dialog, title, ...content) {
  dialog.replaceChildren(h('h2', {}, title), ...content.filter((part) => part !== null),
    h('button', { className: 'close', 'aria-label': 'Close', onclick: () => dialog.close() }, '✕'));
  if (!dialog.open) dialog.showModal();
}
