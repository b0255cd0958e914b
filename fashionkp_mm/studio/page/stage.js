import { imageOf } from './api.js';
import { svg } from './dom.js';
import { drawn } from './draw.js';

const GRAB = { mouse: 14, pen: 18, touch: 28 };
const LOUPE = { radius: 66, margin: 12, zoom: 4 };

/**
 * The picture with its garments: draws them, zooms and pans, and says what a pointer does to them.
 * Positions are pixels of the picture; `view` maps them to pixels of the screen.
 *
 * @typedef {import('./model.js').Garment} Garment
 * @typedef {{garments: Garment[], others: Garment[], garment: number, point: string | null}} Scene
 * @typedef {{onSelect: (garment: number, point: string | null) => void,
 *   onMovePoint: (x: number, y: number) => void, onMoveGarment: (dx: number, dy: number) => void,
 *   onDone: () => void, onCancel: () => void, onBox: (box: number[]) => void,
 *   onBroken: () => void}} Listeners
 */
export class Stage {
  /**
   * @param {SVGSVGElement} root
   * @param {Listeners} listeners
   */
  constructor(root, listeners) {
    this.root = root;
    this.listeners = listeners;
    this.view = { scale: 1, x: 0, y: 0 };
    /** @type {[number, number] | null} */
    this.size = null;
    /** @type {HTMLImageElement | null} What was asked for last. */
    this.asked = null;
    /** @type {Scene} */
    this.scene = { garments: [], others: [], garment: 0, point: null };
    /** @type {Map<number, {x: number, y: number}>} Pointers that are down, on the screen. */
    this.pointers = new Map();
    /** @type {any} What the pointer that went down first is doing. */
    this.action = null;
    this.boxing = false;
    this.image = svg('image', { preserveAspectRatio: 'none' });
    this.magnified = svg('image', { preserveAspectRatio: 'none' });
    this.overlay = svg('g', { id: 'overlay' });
    this.rubber = svg('rect', { class: 'rubber', visibility: 'hidden' });
    this.loupe = svg('g', { class: 'loupe', visibility: 'hidden' },
      svg('clipPath', { id: 'loupe-clip' }, svg('circle', { r: LOUPE.radius })),
      svg('circle', { r: LOUPE.radius, class: 'ground' }),
      svg('g', { 'clip-path': 'url(#loupe-clip)' }, this.magnified),
      svg('path', { d: `M-${LOUPE.radius} 0H-4M4 0H${LOUPE.radius}M0 -${LOUPE.radius}V-4M0 4V${LOUPE.radius}` }),
      svg('circle', { r: LOUPE.radius, class: 'rim' }));
    root.append(this.image, this.overlay, this.rubber, this.loupe);
    root.addEventListener('pointerdown', (event) => this.#down(event));
    root.addEventListener('pointermove', (event) => this.#move(event));
    root.addEventListener('pointerup', (event) => this.#up(event, false));
    root.addEventListener('pointercancel', (event) => this.#up(event, true));
    root.addEventListener('dblclick', () => this.fit());
    root.addEventListener('wheel', (event) => {
      event.preventDefault();
      const step = event.deltaMode ? 30 * event.deltaY : event.deltaY;
      this.zoom(Math.exp(-Math.max(-240, Math.min(240, step)) / 480), this.#at(event));
    }, { passive: false });
    new ResizeObserver(() => this.#resized()).observe(root);
  }

  /**
   * Show a picture; `data-shown` is its number once its image is there.
   * @param {import('./model.js').Picture} picture
   */
  async show(picture) {
    const { number, size } = picture, href = imageOf(picture), images = [this.image, this.magnified];
    this.size = size;
    this.cancel();
    for (const image of images) {
      // Not over the picture before: nobody should see these points on that one.
      if (!size || image.getAttribute('href') !== href) image.removeAttribute('href');
      image.setAttribute('width', size?.[0] ?? 0);
      image.setAttribute('height', size?.[1] ?? 0);
    }
    delete this.root.dataset.shown;
    this.fit();
    const asked = this.asked = new Image();
    if (!size) return;
    asked.src = href;
    const isWhole = await asked.decode().then(() => true, () => false);
    if (this.asked !== asked) return;
    if (!isWhole) { this.listeners.onBroken(); return; }
    for (const image of images) image.setAttribute('href', href);
    this.root.dataset.shown = String(number);
  }

  /** @param {Scene} scene */
  draw(scene) {
    this.scene = scene;
    this.#draw();
  }

  /** Let the next drag draw a box. */
  startBox() {
    this.boxing = true;
    this.root.classList.add('boxing');
  }

  /** Give up what a pointer is doing. */
  cancel() {
    this.boxing = false;
    this.root.classList.remove('boxing');
    this.rubber.setAttribute('visibility', 'hidden');
    this.loupe.setAttribute('visibility', 'hidden');
    if (this.action?.kind === 'point' || this.action?.kind === 'garment') this.listeners.onCancel();
    this.action = null;
  }

  fit() {
    const { width, height } = this.root.getBoundingClientRect();
    if (!this.size || !width || !height) return;
    const [w, h] = this.size, margin = Math.min(24, width / 20);
    const scale = Math.min((width - 2 * margin) / w, (height - 2 * margin) / h);
    this.view = { scale, x: (width - w * scale) / 2, y: (height - h * scale) / 2 };
    this.fitted = true;
    this.#draw();
  }

  /**
   * @param {number} factor
   * @param {{x: number, y: number}} [at] What stays where it is on the screen; by default the middle.
   */
  zoom(factor, at) {
    const { width, height } = this.root.getBoundingClientRect();
    const { x, y } = at ?? { x: width / 2, y: height / 2 };
    const scale = Math.max(0.02, Math.min(60, this.view.scale * factor));
    const by = scale / this.view.scale;
    this.view = { scale, x: x - (x - this.view.x) * by, y: y - (y - this.view.y) * by };
    this.fitted = false;
    this.#draw();
  }

  /** @type {import('./draw.js').Place} */
  place = (x, y) => [x * this.view.scale + this.view.x, y * this.view.scale + this.view.y];

  #resized() {
    if (this.fitted ?? true) this.fit(); else this.#draw();
  }

  #draw() {
    const { scale, x, y } = this.view;
    this.image.setAttribute('transform', `translate(${x} ${y}) scale(${scale})`);
    this.image.classList.toggle('pixels', scale >= 4);
    const { garments, others, garment, point } = this.scene;
    const focused = this.overlay.contains(document.activeElement);
    const ghosts = svg('g', { class: 'ghosts' },
      ...others.map((each, index) => drawn(each, this.place, { index })));
    const order = garments.map((_, index) => index).sort((a, b) => +(a === garment) - +(b === garment));
    this.overlay.replaceChildren(ghosts, ...order.map((index) => drawn(garments[index], this.place, {
      index, selected: index === garment, point: index === garment ? point : null, label: true,
      absent: index === garment, interactive: true })));
    if (focused) this.focus();
  }

  focus() { this.overlay.querySelector('.current')?.focus({ preventScroll: true }); }

  /** @param {MouseEvent} event */
  #at(event) {
    const { left, top } = this.root.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** @param {{x: number, y: number}} at */
  #pixel(at) {
    return { x: (at.x - this.view.x) / this.view.scale, y: (at.y - this.view.y) / this.view.scale };
  }

  /**
   * The point nearest to a place on the screen, the selected garment's first.
   * @param {{x: number, y: number}} at
   * @param {number} reach
   */
  #hit(at, reach) {
    const { garments, garment } = this.scene;
    let best = null;
    for (const [index, each] of garments.entries()) {
      for (const [name, point] of Object.entries(each.keypoints)) {
        if (point.visibility === 'absent' && index !== garment) continue;
        const [x, y] = this.place(point.x, point.y);
        let distance = Math.hypot(x - at.x, y - at.y);
        if (distance > reach) continue;
        if (index !== garment) distance += reach;
        if (!best || distance < best.distance) best = { distance, index, name, point };
      }
    }
    return best;
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button > 0 || !this.size) return;
    const at = this.#at(event);
    this.pointers.set(event.pointerId, at);
    this.root.setPointerCapture(event.pointerId);
    if (this.pointers.size > 1) {
      if (this.action) this.cancel();
      this.action = { kind: 'pinch' };
      return;
    }
    const pixel = this.#pixel(at);
    if (this.boxing) {
      this.action = { kind: 'box', from: pixel };
      return;
    }
    const grab = GRAB[/** @type {keyof GRAB} */ (event.pointerType)] ?? GRAB.mouse;
    const hit = this.#hit(at, grab);
    const label = /** @type {Element} */ (event.target).closest('[data-handle]');
    if (hit) {
      this.listeners.onSelect(hit.index, hit.name);
      this.action = { kind: 'point', dx: hit.point.x - pixel.x, dy: hit.point.y - pixel.y, at };
      this.focus();
    } else if (label) {
      const index = Number(label.getAttribute('data-handle'));
      this.listeners.onSelect(index, index === this.scene.garment ? this.scene.point : null);
      this.action = { kind: 'garment', from: pixel, at };
    } else this.action = { kind: 'pan', at, view: { ...this.view } };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const at = this.#at(event);
    if (this.action?.kind === 'pinch') this.#pinch(event.pointerId, at);
    this.pointers.set(event.pointerId, at);
    const action = this.action, pixel = this.#pixel(at);
    if (!action) return;
    // A press that trembles is not a drag yet.
    if (action.at && !action.moving) action.moving = Math.hypot(at.x - action.at.x, at.y - action.at.y) > 2;
    if (action.kind === 'box') this.#rubber(action.from, pixel);
    else if (!action.moving) return;
    else if (action.kind === 'point') {
      const x = pixel.x + action.dx, y = pixel.y + action.dy;
      this.listeners.onMovePoint(x, y);
      this.#magnify(x, y, at);
    } else if (action.kind === 'garment') {
      this.listeners.onMoveGarment(pixel.x - action.from.x, pixel.y - action.from.y);
    } else if (action.kind === 'pan') {
      this.view = { ...action.view, x: action.view.x + at.x - action.at.x, y: action.view.y + at.y - action.at.y };
      this.fitted = false;
      this.#draw();
    }
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} cancelled
   */
  #up(event, cancelled) {
    if (!this.pointers.delete(event.pointerId)) return;
    const action = this.action;
    if (cancelled) { this.cancel(); return; }
    if (action?.kind === 'pinch') {
      if (!this.pointers.size) this.action = null;
      return;
    }
    this.action = null;
    this.loupe.setAttribute('visibility', 'hidden');
    if (action?.kind === 'box') {
      this.cancel();
      const to = this.#pixel(this.#at(event));
      const [w, h] = this.size ?? [0, 0];
      const box = [Math.max(0, Math.min(action.from.x, to.x)), Math.max(0, Math.min(action.from.y, to.y)),
        Math.min(w, Math.max(action.from.x, to.x)), Math.min(h, Math.max(action.from.y, to.y))];
      if (box[2] - box[0] >= 4 && box[3] - box[1] >= 4) this.listeners.onBox(box);
      else this.listeners.onCancel();
    } else if (action?.moving && action.kind !== 'pan') this.listeners.onDone();
  }

  /**
   * @param {number} id
   * @param {{x: number, y: number}} at
   */
  #pinch(id, at) {
    const other = [...this.pointers].find(([pointer]) => pointer !== id)?.[1];
    const before = this.pointers.get(id);
    if (!other || !before) return;
    const spread = Math.hypot(at.x - other.x, at.y - other.y);
    const spreadBefore = Math.hypot(before.x - other.x, before.y - other.y);
    this.view.x += (at.x - before.x) / 2;
    this.view.y += (at.y - before.y) / 2;
    this.zoom(spread / Math.max(1, spreadBefore), { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
  }

  /**
   * @param {{x: number, y: number}} from
   * @param {{x: number, y: number}} to
   */
  #rubber(from, to) {
    const [x1, y1] = this.place(Math.min(from.x, to.x), Math.min(from.y, to.y));
    const [x2, y2] = this.place(Math.max(from.x, to.x), Math.max(from.y, to.y));
    for (const [key, value] of Object.entries({ x: x1, y: y1, width: x2 - x1, height: y2 - y1, visibility: 'visible' })) {
      this.rubber.setAttribute(key, String(value));
    }
  }

  /**
   * Show what lies under a point, away from the finger.
   * @param {number} x
   * @param {number} y
   * @param {{x: number, y: number}} at
   */
  #magnify(x, y, at) {
    const { width } = this.root.getBoundingClientRect();
    const scale = Math.max(LOUPE.zoom, 2 * this.view.scale), away = LOUPE.radius + LOUPE.margin;
    const left = at.x > width / 2 || at.y > 2.5 * away;
    this.magnified.setAttribute('transform', `scale(${scale}) translate(${-x} ${-y})`);
    this.loupe.setAttribute('transform', `translate(${left && (at.x > 2.5 * away || at.y > 2.5 * away) ? away : width - away} ${away})`);
    this.loupe.setAttribute('visibility', 'visible');
  }
}
