import { moved, stepped, swapped, withPoints } from './model.js';

/**
 * The picture at hand: its garments, what is selected, and what can be undone. It knows neither the
 * document nor the server; `onChange` is called after everything that is to be drawn, and `onSave`
 * after everything that is to be kept.
 *
 * @typedef {import('./model.js').Garment} Garment
 * @typedef {import('./model.js').Picture} Picture
 * @typedef {{garments: Garment[], state: import('./model.js').State}} Content
 */
export class Editor {
  /** @param {{onChange: () => void, onSave: () => void}} listeners */
  constructor(listeners) {
    this.listeners = listeners;
    /** @type {Picture | null} */
    this.picture = null;
    /** @type {Garment[]} */
    this.garments = [];
    /** @type {import('./model.js').State} */
    this.state = 'open';
    this.garment = 0;
    /** @type {string | null} */
    this.point = null;
    /** @type {Map<number, {undo: Content[], redo: Content[]}>} By picture. */
    this.histories = new Map();
    /** @type {Content | null} What stood here before a drag began. */
    this.before = null;
  }

  /** @param {Picture} picture */
  open(picture) {
    this.picture = picture;
    this.garments = picture.garments;
    this.state = picture.state;
    this.before = null;
    this.select(0, null);
  }

  /** @returns {Garment | undefined} */
  get current() { return this.garments[this.garment]; }

  get #history() {
    const number = this.picture?.number ?? -1;
    const history = this.histories.get(number) ?? { undo: [], redo: [] };
    this.histories.set(number, history);
    return history;
  }

  /** @returns {Content} */
  get #content() { return { garments: this.garments, state: this.state }; }

  /**
   * @param {number} garment
   * @param {string | null} point
   */
  select(garment, point) {
    this.garment = Math.max(0, Math.min(garment, this.garments.length - 1));
    this.point = point !== null && this.current && point in this.current.keypoints ? point : null;
    this.listeners.onChange();
  }

  /** @param {number} step */
  selectPoint(step) {
    if (!this.current) return;
    const names = Object.keys(this.current.keypoints);
    const at = this.point === null ? (step > 0 ? -1 : 0) : names.indexOf(this.point);
    this.select(this.garment, names[(at + step + names.length) % names.length]);
  }

  /** @param {Garment[]} garments */
  change(garments) {
    this.#remember(this.before ?? this.#content);
    this.garments = garments;
    this.state = 'open';
    this.before = null;
    this.select(this.garment, this.point);
    this.listeners.onSave();
  }

  /** @param {(garment: Garment) => Garment} how */
  changeCurrent(how) {
    const { current, garment } = this;
    if (current) this.change(this.garments.map((each, index) => index === garment ? how(current) : each));
  }

  /**
   * Show what a drag would make of the selected garment, without keeping it yet.
   * @param {(garment: Garment) => Garment} how
   */
  preview(how) {
    this.before ??= this.#content;
    const { garment } = this;
    this.garments = this.before.garments.map((each, index) => index === garment ? how(each) : each);
    this.listeners.onChange();
  }

  keepPreview() { if (this.before) this.change(this.garments); }

  cancelPreview() {
    if (!this.before) return;
    this.garments = this.before.garments;
    this.before = null;
    this.listeners.onChange();
  }

  /** @param {number} x @param {number} y */
  previewPoint(x, y) {
    const { point } = this;
    if (point !== null) this.preview((each) => withPoints(each, { [point]: { x, y, ...shown(each, point) } }));
  }

  /** @param {number} dx @param {number} dy */
  previewMove(dx, dy) { this.preview((each) => moved(each, dx, dy)); }

  /** @param {number} dx @param {number} dy @param {boolean} whole */
  nudge(dx, dy, whole) {
    const { point } = this;
    if (whole) this.changeCurrent((each) => moved(each, dx, dy));
    else if (point !== null) {
      this.changeCurrent((each) => withPoints(each, { [point]: {
        x: each.keypoints[point].x + dx, y: each.keypoints[point].y + dy, ...shown(each, point) } }));
    }
  }

  step() {
    const { point } = this;
    if (point !== null) this.changeCurrent((each) => stepped(each, point));
  }

  swap() { this.changeCurrent(swapped); }

  remove() {
    if (this.current) this.change(this.garments.filter((_, index) => index !== this.garment));
  }

  /** @param {Garment} garment */
  add(garment) {
    this.change([...this.garments, garment]);
    this.select(this.garments.length - 1, null);
  }

  accept() {
    if (this.state === 'accepted') return;
    this.#remember(this.#content);
    this.state = 'accepted';
    this.listeners.onChange();
    this.listeners.onSave();
  }

  undo() { this.#swap(this.#history.undo, this.#history.redo); }

  redo() { this.#swap(this.#history.redo, this.#history.undo); }

  get canUndo() { return this.#history.undo.length > 0; }

  get canRedo() { return this.#history.redo.length > 0; }

  /** @param {Content} content */
  #remember(content) {
    const history = this.#history;
    history.undo = [...history.undo, content].slice(-200);
    history.redo = [];
  }

  /** @param {Content[]} from @param {Content[]} to */
  #swap(from, to) {
    const content = from.pop();
    if (!content) return;
    to.push(this.#content);
    this.garments = content.garments;
    this.state = content.state;
    this.select(this.garment, this.point);
    this.listeners.onSave();
  }
}

/**
 * A point that somebody puts in its place is there.
 * @param {Garment} garment
 * @param {string} point
 * @returns {{visibility?: 'visible'}}
 */
function shown(garment, point) {
  return garment.keypoints[point].visibility === 'absent' ? { visibility: 'visible' } : {};
}
