import { ask, Refusal } from './api.js';

/**
 * Sends changes to the server, one at a time, until each is acknowledged.
 *
 * A change keeps its key while it is sent again, so that one whose answer was lost is not made
 * twice. While a change is under way, later ones of the same picture become one.
 *
 * @typedef {{number: number, garments: import('./model.js').Garment[],
 *   state: import('./model.js').State, author: string, key: string, revision?: number}} Change
 */
export class Saver {
  /**
   * @param {{onProgress: (unsaved: number, problem: string) => void,
   *   onSaved: (version: any) => void,
   *   onConflict: (number: number, current: any) => void}} listeners
   */
  constructor(listeners) {
    this.listeners = listeners;
    /** @type {Map<number, Change>} */
    this.waiting = new Map();
    /** @type {Change | null} */
    this.sending = null;
    /** @type {Map<number, number>} The latest revision that this page has seen. */
    this.revisions = new Map();
    /** @type {Map<number, Change>} What met somebody else's change, until `settle`. */
    this.contested = new Map();
    window.addEventListener('beforeunload', (event) => {
      if (this.unsaved) event.preventDefault();
    });
  }

  get unsaved() { return this.waiting.size + this.contested.size + (this.sending ? 1 : 0); }

  /** @param {number} number */
  isUnsaved(number) {
    return this.waiting.has(number) || this.contested.has(number) || this.sending?.number === number;
  }

  /** @param {Omit<Change, 'key'>} change */
  save(change) {
    const changes = this.contested.has(change.number) ? this.contested : this.waiting;
    changes.set(change.number, { ...change, key: newKey() });
    this.listeners.onProgress(this.unsaved, '');
    if (!this.sending) this.#send();
  }

  /**
   * A person has seen both versions of a picture, and chosen.
   * @param {number} number
   * @param {number} revision Theirs.
   * @param {'mine' | 'theirs'} choice
   */
  settle(number, revision, choice) {
    const mine = this.contested.get(number);
    this.contested.delete(number);
    this.revisions.set(number, revision);
    if (mine && choice === 'mine') this.save(mine);
    else this.listeners.onProgress(this.unsaved, '');
  }

  async #send() {
    for (;;) {
      const [next] = this.waiting.values();
      if (!next) break;
      this.waiting.delete(next.number);
      this.sending = { ...next, revision: this.revisions.get(next.number) };
      await this.#sendUntilAnswered(this.sending);
      this.sending = null;
      this.listeners.onProgress(this.unsaved, '');
    }
  }

  /** @param {Change} change */
  async #sendUntilAnswered(change) {
    for (let wait = 250; ; wait = Math.min(2 * wait, 4000)) {
      try {
        const { number, ...body } = change;
        const version = await ask(`/api/pictures/${number}`, body);
        this.revisions.set(number, version.revision);
        this.listeners.onSaved(version);
        return;
      } catch (error) {
        if (error instanceof Refusal && error.status === 409) {
          this.contested.set(change.number, this.waiting.get(change.number) ?? change);
          this.waiting.delete(change.number);
          this.listeners.onConflict(change.number, error.body.current);
          return;
        }
        const problem = error instanceof Refusal
          ? `Not saved: ${error.message}` : 'The server does not answer; trying again.';
        this.listeners.onProgress(this.unsaved, problem);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }
}

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
