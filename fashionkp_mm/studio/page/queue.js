import { $, h } from './dom.js';
import { CATEGORIES } from './model.js';

const ROW = 44;
const MARGIN = 8;

/**
 * The list of pictures: order, filters, progress. Only the rows in sight are in the document.
 *
 * @typedef {import('./model.js').Entry} Entry
 */
export class Queue {
  /** @param {(number: number) => void} onOpen */
  constructor(onOpen) {
    this.onOpen = onOpen;
    /** @type {Map<number, Entry>} In the order of the file. */
    this.entries = new Map();
    /** @type {Entry[]} Those that pass the filters, in the order that was chosen. */
    this.shown = [];
    /** @type {number | null} */
    this.current = null;
    this.rows = $('#rows');
    this.rows.addEventListener('scroll', () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(this.rows);
    for (const name of Object.keys(CATEGORIES)) $('#category-filter').append(h('option', { value: name }, name));
    for (const id of ['order', 'state', 'category-filter']) {
      $(`#${id}`).addEventListener('change', () => this.sort());
    }
  }

  /** @param {Entry[]} entries */
  fill(entries) {
    this.entries = new Map(entries.map((entry) => [entry.number, entry]));
    this.sort();
  }

  /**
   * Take up what has changed, and leave the order as it is.
   * @param {Entry[]} entries
   */
  refresh(entries) {
    for (const entry of entries) Object.assign(this.entries.get(entry.number) ?? {}, entry);
    this.#draw();
  }

  /** @param {number} number @param {Partial<Entry>} facts */
  update(number, facts) {
    Object.assign(this.entries.get(number) ?? {}, facts);
    this.#draw();
  }

  sort() {
    const state = $('#state').value, category = $('#category-filter').value;
    /** @type {Record<string, (entry: Entry) => boolean>} */
    const passes = {
      all: () => true,
      open: (entry) => entry.state === 'open',
      accepted: (entry) => entry.state === 'accepted',
      empty: (entry) => !entry.categories.length,
      missing: (entry) => entry.missing,
    };
    this.shown = [...this.entries.values()].filter(passes[state])
      .filter((entry) => !category || entry.categories.includes(category));
    if ($('#order').value === 'doubt') this.shown.sort((a, b) => b.doubt - a.doubt);
    this.#draw();
  }

  /**
   * The number of the next picture that is not accepted, or of any neighbour.
   * @param {number} step
   * @param {boolean} unaccepted
   * @returns {number | null}
   */
  neighbour(step, unaccepted = false) {
    if (unaccepted) return this.following(1)[0] ?? null;
    const at = this.shown.findIndex((entry) => entry.number === this.current);
    return this.shown[at + step]?.number ?? null;
  }

  /**
   * The numbers of the pictures that `neighbour` would give next, one after the other.
   * @param {number} count
   */
  following(count) {
    const at = this.shown.findIndex((entry) => entry.number === this.current);
    return [...this.shown.slice(at + 1), ...this.shown.slice(0, Math.max(0, at))]
      .filter((entry) => entry.state !== 'accepted' && !entry.missing && entry.number !== this.current)
      .slice(0, count).map((entry) => entry.number);
  }

  /** @param {number} number */
  open(number) {
    this.current = number;
    const at = this.shown.findIndex((entry) => entry.number === number);
    const top = at * ROW, { scrollTop, clientHeight } = this.rows;
    if (at >= 0 && (top < scrollTop || top + ROW > scrollTop + clientHeight)) {
      this.rows.scrollTop = Math.max(0, top - clientHeight / 3);
    }
    this.#draw();
  }

  #draw() {
    const first = Math.max(0, Math.floor(this.rows.scrollTop / ROW) - MARGIN);
    const last = Math.ceil((this.rows.scrollTop + this.rows.clientHeight) / ROW) + MARGIN;
    const spacer = $('#spacer');
    spacer.style.height = `${this.shown.length * ROW}px`;
    spacer.replaceChildren(...this.shown.slice(first, last).map((entry, index) => {
      const row = this.#row(entry);
      row.style.top = `${(first + index) * ROW}px`;
      return row;
    }));
    if (!this.shown.length) spacer.replaceChildren(h('p', { className: 'none' }, 'No picture passes these filters.'));
    const all = [...this.entries.values()];
    const accepted = all.filter((entry) => entry.state === 'accepted').length;
    Object.assign($('#progress'), { value: accepted, max: Math.max(1, all.length) });
    $('#counter').textContent = `${accepted.toLocaleString('en')} of ${all.length.toLocaleString('en')} accepted`;
  }

  /** @param {Entry} entry */
  #row(entry) {
    const mark = entry.missing ? '⚠' : entry.state === 'accepted' ? '✓' : '';
    const what = entry.missing ? 'cannot be shown' : entry.reason || entry.categories.join(', ') || 'no garment';
    const meter = h('span', { className: 'doubt', hidden: !entry.doubt, title: `doubt ${entry.doubt}` }, h('i'));
    meter.firstChild.style.width = `${100 * entry.doubt}%`;
    return h('button', {
      className: 'row', role: 'option', tabIndex: -1, 'aria-selected': entry.number === this.current,
      'aria-label': `${entry.image_id}, ${entry.state}, ${what}`,
      data: { number: entry.number }, onclick: () => this.onOpen(entry.number),
    }, h('span', { className: 'mark' }, mark),
    h('span', { className: 'id' }, entry.image_id.split('/').pop() ?? ''),
    h('span', { className: 'what' }, what), meter);
  }
}
