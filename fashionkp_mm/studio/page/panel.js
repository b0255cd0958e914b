import { $, h } from './dom.js';
import { CATEGORIES, inWords } from './model.js';

const MARKS = { visible: '●', occluded: '○', absent: '×' };

/**
 * What stands beside the picture: its facts, its garments, the points of the selected one.
 * @param {import('./editor.js').Editor} editor
 * @param {{onCategory: (category: string) => void}} listeners
 */
export function drawPanel(editor, listeners) {
  const { picture } = editor;
  if (!picture) return;
  $('#name').textContent = picture.image_id;
  const size = picture.size ? `${picture.size[0]} × ${picture.size[1]}` : 'no picture';
  const when = new Date(1000 * picture.time).toLocaleString();
  $('#facts').textContent =
    `${size} · ${editor.state} · revision ${picture.revision} by ${picture.author}, ${when}`;
  $('#garments').replaceChildren(...editor.garments.map((garment, index) => {
    const chosen = index === editor.garment;
    const select = h('select', { 'aria-label': `Category of garment ${index + 1}`,
      onchange: (/** @type {any} */ event) => listeners.onCategory(event.target.value) },
    ...Object.keys(CATEGORIES).map((name) => h('option', { value: name, selected: name === garment.category }, name)));
    const score = garment.category_score === undefined ? '' : garment.category_score.toFixed(2);
    const swatch = h('i', { className: 'swatch' });
    swatch.style.background = CATEGORIES[garment.category].color;
    return h('div', { className: chosen ? 'garment-row chosen' : 'garment-row' },
      h('button', { 'aria-pressed': chosen, onclick: () => editor.select(index, null) },
        swatch, `${index + 1}`),
      chosen ? select : h('span', {}, garment.category), h('span', { className: 'score' }, score));
  }));
  if (!editor.garments.length && !picture.error) $('#garments').append(h('p', { className: 'none' }, 'No garment here yet.'));
  drawPoints(editor);
  for (const [name, possible] of Object.entries({ undo: editor.canUndo, redo: editor.canRedo,
    swap: !!editor.current, remove: !!editor.current, predict: !!editor.current,
    add: !!picture.size, accept: !picture.error })) {
    $(`[data-do="${name}"]`).disabled = !possible;
  }
  $('[data-do="accept"]').textContent = editor.state === 'accepted' ? 'Accepted' : 'Accept';
}

/** @param {import('./editor.js').Editor} editor */
function drawPoints(editor) {
  const points = Object.entries(editor.current?.keypoints ?? {});
  $('#points').replaceChildren(...points.map(([name, point]) => h('div',
    { className: name === editor.point ? 'point-row chosen' : 'point-row', data: { row: name } },
    h('button', { className: 'pick', onclick: () => editor.select(editor.garment, name) }, inWords(name)),
    h('span', { className: 'score' }, point.score === undefined ? '' : point.score.toFixed(2)),
    h('button', { className: `state ${point.visibility}`, title: 'visible, occluded, absent (V)',
      'aria-label': `${inWords(name)} is ${point.visibility}`,
      onclick: () => { editor.select(editor.garment, name); editor.step(); } },
    `${MARKS[point.visibility]} ${point.visibility}`))));
}
