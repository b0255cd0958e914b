/** The page: puts the parts together, and says which key does what. */

import { ask, imageOf, Refusal } from './api.js';
import { showBeside } from './beside.js';
import { chooseVersion, openExport, openHelp } from './dialogs.js';
import { $ } from './dom.js';
import { Editor } from './editor.js';
import { CATEGORIES } from './model.js';
import { drawPanel } from './panel.js';
import { Queue } from './queue.js';
import { Saver } from './saver.js';
import { Stage } from './stage.js';

const REFRESH_MS = 15000;

const session = await ask('/api/session');
Object.assign(CATEGORIES, session.categories);
let author = localStorage.getItem('author') ?? session.author;
/** @type {((box: number[]) => void) | null} */
let boxUse = null;
/** @type {import('./model.js').Garment | undefined} The garment that lengths and crops are of. */
let besideOf;
/** @type {Map<number, Promise<import('./model.js').Picture>>} Pictures that were asked for ahead. */
const ahead = new Map();
const AHEAD = 2;
/** @type {number | null} The picture that is on its way. */
let arriving = null;
/** One question at a time. */
let resolving = Promise.resolve();
/** @type {KeyboardEvent[]} Keys pressed meanwhile, which are for that picture. */
let early = [];

const editor = new Editor({ onChange: draw, onSave: save });
const queue = new Queue(go);
const stage = new Stage($('#stage'), {
  onSelect: (garment, point) => editor.select(garment, point),
  onMovePoint: (x, y) => editor.previewPoint(x, y),
  onMoveGarment: (dx, dy) => editor.previewMove(dx, dy),
  onDone: () => editor.keepPreview(),
  onCancel: () => { editor.cancelPreview(); hint(''); },
  onBox: (box) => { hint(''); boxUse?.(box); },
  onBroken: async () => {
    const { picture } = editor;
    if (!picture) return;
    const error = await ask(imageOf(picture)).then(() => 'The picture cannot be shown.', (why) => why.message);
    if (editor.picture === picture) open({ ...picture, size: null, error });
  },
});
const saver = new Saver({
  onProgress: (unsaved, problem) => {
    $('#saved').textContent = problem || (unsaved ? 'saving…' : 'saved');
    $('#saved').classList.toggle('problem', !!problem);
  },
  onSaved: (version) => {
    const { picture } = editor;
    if (picture && picture.number === version.number) {
      Object.assign(picture, version, { garments: picture.garments });
      drawFacts();
    }
  },
  onConflict: (number, theirs) => { resolving = resolving.then(() => resolve(number, theirs)); },
});

function draw() {
  stage.draw({ garments: editor.garments, others: editor.picture?.others ?? [],
    garment: editor.garment, point: editor.point });
  drawFacts();
  if (editor.current !== besideOf) {
    besideOf = editor.current;
    showBeside(editor.picture?.size ? editor.picture.number : undefined, besideOf);
  }
}

function drawFacts() { drawPanel(editor, { onCategory: changeCategory }); }

function save() {
  const { picture, garments, state } = editor;
  if (!picture) return;
  saver.save({ number: picture.number, garments, state, author });
  queue.update(picture.number, { state, categories: garments.map((each) => each.category) });
}

/** @param {number} number @returns {Promise<import('./model.js').Picture>} */
function fetched(number) {
  const waiting = ahead.get(number) ?? ask(`/api/pictures/${number}`);
  ahead.delete(number);
  return waiting;
}

/** @param {number | null} number */
async function go(number) {
  if (number === null) { end(); return; }
  editor.cancelPreview();
  say('');
  hint('');
  arriving = number;
  queue.open(number);
  // What was not acknowledged yet must not be hidden by what the server still has.
  while (saver.isUnsaved(number)) await new Promise((then) => setTimeout(then, 30));
  let picture;
  try {
    picture = await fetched(number);
  } catch (error) {
    if (queue.current !== number) return;
    arriving = null;
    early = [];
    if (editor.picture) queue.open(editor.picture.number);
    say(error instanceof Refusal ? error.message : 'The server does not answer; try again.');
    return;
  }
  if (queue.current !== number) return;
  saver.revisions.set(number, picture.revision);
  open(picture);
  location.replace(`#${number}`);
  arriving = null;
  while (early.length && arriving === null) onKey(/** @type {KeyboardEvent} */ (early.shift()));
  prefetch(queue.following(AHEAD));
}

/** @param {import('./model.js').Picture} picture */
function open(picture) {
  // What cannot be seen cannot be judged: its garments stay as they are.
  editor.open(picture.error ? { ...picture, garments: [] } : picture);
  stage.show(picture);
  say(picture.error ?? '');
  queue.update(picture.number, { state: picture.state, missing: !!picture.error,
    categories: picture.garments.map((each) => each.category) });
}

/** @param {import('./model.js').Picture} picture */
function decoded(picture) {
  if (!picture.size) return;
  const image = new Image();
  image.src = imageOf(picture);
  image.decode().catch(() => {});  // it is said when the picture is opened
}

/** @param {number[]} numbers */
function prefetch(numbers) {
  for (const number of ahead.keys()) if (!numbers.includes(number)) ahead.delete(number);
  for (const number of numbers) {
    if (ahead.has(number) || saver.isUnsaved(number)) continue;
    const asked = ask(`/api/pictures/${number}`);
    ahead.set(number, asked);
    asked.then(decoded, () => ahead.delete(number));
  }
}

function end() {
  const left = [...queue.entries.values()].filter((entry) => entry.state !== 'accepted').length;
  say(left ? `The end of this list. ${left.toLocaleString('en')} pictures are not accepted yet; other filters show them.`
    : 'All pictures are accepted. Export writes them to a file.');
}

function accept() {
  if (!editor.picture || arriving !== null) return;  // what is on its way nobody has seen yet
  if (!editor.picture.error) editor.accept();
  go(queue.neighbour(1, true));
}

/** @param {string} category */
async function changeCategory(category) {
  const { picture, garment, current } = editor;
  if (!current) return;
  try {
    const changed = await ask('/api/category', { garment: current, category });
    if (editor.picture === picture && editor.garments[garment] === current) editor.changeCurrent(() => changed);
  } catch (error) { say(/** @type {Error} */ (error).message); }
}

/** @param {number} step */
function stepCategory(step) {
  const names = Object.keys(CATEGORIES);
  if (editor.current) changeCategory(names[(names.indexOf(editor.current.category) + step + names.length) % names.length]);
}

/** @param {boolean} again Replace the selected garment instead of adding one. */
function lookInBox(again) {
  const category = again ? editor.current?.category : session.predicts ? null : Object.keys(CATEGORIES)[0];
  if (!editor.picture?.size || (again && !editor.current)) return;
  hint(again ? `Draw a box around the ${category}.` : 'Draw a box around the garment.');
  stage.startBox();
  boxUse = async (box) => {
    const { picture, garment } = editor;
    hint('Looking…');
    try {
      const found = await ask(`/api/pictures/${picture?.number}/predict`, { box, category });
      if (editor.picture !== picture) return;
      hint('');
      if (again && editor.garment === garment) editor.changeCurrent(() => found); else editor.add(found);
    } catch (error) {
      hint('');
      say(/** @type {Error} */ (error).message);
    }
  };
}

/** @param {number} number @param {any} theirs */
async function resolve(number, theirs) {
  const picture = await untilAnswered(() => ask(`/api/pictures/${number}`));
  const choice = await chooseVersion(/** @type {any} */ (saver.contested.get(number)), theirs, picture);
  saver.settle(number, theirs.revision, choice);
  if (choice === 'theirs') queue.update(number, { state: theirs.state });
  ahead.delete(number);
  editor.histories.delete(number);
  if (queue.current === number) go(number);
}

/** @template T @param {() => Promise<T>} attempt @returns {Promise<T>} */
async function untilAnswered(attempt) {
  for (;;) {
    try { return await attempt(); } catch { await new Promise((then) => setTimeout(then, 500)); }
  }
}

/** @param {string} text */
function say(text) {
  $('#message').textContent = text;
  $('#message').hidden = !text;
}

/** @param {string} text */
function hint(text) {
  $('#hint').textContent = text;
  $('#hint').hidden = !text;
}

/** @type {Record<string, () => void>} */
const actions = {
  previous: () => go(queue.neighbour(-1) ?? queue.current),
  next: () => go(queue.neighbour(1)),
  accept,
  undo: () => editor.undo(),
  redo: () => editor.redo(),
  add: () => lookInBox(false),
  predict: () => lookInBox(true),
  swap: () => editor.swap(),
  remove: () => editor.remove(),
};

/** @type {Record<string, (shift: boolean) => void>} */
const keys = {
  v: () => editor.step(),
  c: (shift) => stepCategory(shift ? -1 : 1),
  m: actions.swap,
  g: () => editor.select((editor.garment + 1) % Math.max(1, editor.garments.length), null),
  a: actions.add,
  p: actions.predict,
  delete: actions.remove,
  enter: accept,
  pageup: actions.previous,
  pagedown: actions.next,
  '+': () => stage.zoom(1.25),
  '-': () => stage.zoom(0.8),
  0: () => stage.fit(),
  escape: () => { stage.cancel(); editor.cancelPreview(); hint(''); },
  '?': () => openHelp(author, rename),
};

/** @type {Record<string, [number, number]>} */
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener('keydown', (event) => {
  const target = /** @type {Element} */ (event.target);
  if (document.querySelector('dialog[open]') || target.closest('input, select')) return;
  if (arriving === null) onKey(event);
  else if (isOurs(event)) {
    event.preventDefault();
    early.push(event);
  }
});

/** @param {KeyboardEvent} event */
function isOurs(event) {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) return key === 'z' || key === 'y';
  return event.key in arrows || event.key === 'Tab' || (!event.altKey && key in keys);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {Element} */ (event.target);
  const inPanel = target.closest('button, a, [role=listbox]') !== null;
  if (event.ctrlKey || event.metaKey) {
    const key = event.key.toLowerCase();
    if (key === 'z' || key === 'y') {
      event.preventDefault();
      if (key === 'y' || event.shiftKey) editor.redo(); else editor.undo();
    }
    return;
  }
  if (event.key in arrows && !target.closest('[role=listbox]')) {
    event.preventDefault();
    const [dx, dy] = arrows[event.key], by = event.shiftKey ? 10 : 1;
    editor.nudge(dx * by, dy * by, event.altKey);
  } else if (event.key === 'Tab' && !inPanel) {
    event.preventDefault();
    editor.selectPoint(event.shiftKey ? -1 : 1);
    stage.focus();
  } else if (!event.altKey && event.key.toLowerCase() in keys && !(inPanel && event.key === 'Enter')) {
    event.preventDefault();
    keys[event.key.toLowerCase()](event.shiftKey);
  }
}

/** @param {string} name */
function rename(name) {
  author = name;
  localStorage.setItem('author', name);
}

document.addEventListener('click', (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest('button');
  if (button?.dataset.do) {
    actions[button.dataset.do]();
    button.blur();  // the keys are for the picture again
  }
  if (button?.dataset.zoom === 'fit') stage.fit();
  else if (button?.dataset.zoom) stage.zoom(button.dataset.zoom === 'in' ? 1.4 : 1 / 1.4);
});
$('#help-open').addEventListener('click', () => openHelp(author, rename));
$('#export-open').addEventListener('click', () => openExport(session));
$('#queue-toggle').addEventListener('click', () => {
  const hidden = document.body.classList.toggle('queue-hidden');
  $('#queue-toggle').setAttribute('aria-expanded', String(!hidden));
});

document.title = `${session.source} · fashionkp studio`;
$('#source').textContent = session.source;
if (matchMedia('(max-width: 700px)').matches) $('#queue-toggle').click();
queue.fill(await ask('/api/queue'));
const asked = Number(location.hash.slice(1));
const [first] = queue.shown;
if (queue.entries.has(asked)) await go(asked);
else if (first) await go(first.state === 'open' && !first.missing ? first.number : queue.neighbour(1, true) ?? first.number);
else say('There is no picture to show.');
setInterval(async () => queue.refresh(await ask('/api/queue').catch(() => [])), REFRESH_MS);
document.body.dataset.ready = 'true';
