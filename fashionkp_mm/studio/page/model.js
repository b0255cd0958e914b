/**
 * What a garment is to the page, and what can be done with one. Nothing here knows the document.
 *
 * @typedef {'visible' | 'occluded' | 'absent'} Visibility
 * @typedef {{x: number, y: number, visibility: Visibility, score?: number, spread?: number}} Point
 *   Pixels of the picture as it is shown. An absent point lies where it would be.
 * @typedef {{category: string, category_score?: number, keypoints: Record<string, Point>}} Garment
 * @typedef {{color: string, keypoints: string[], outline: string[], seams: string[][],
 *   mirrored: Record<string, string>}} Category
 * @typedef {'open' | 'accepted'} State
 * @typedef {{number: number, image_id: string, revision: number, time: number, author: string,
 *   by_person: boolean, state: State, garments: Garment[], size: [number, number] | null,
 *   error: string | null, content: string | null, others?: Garment[] | null}} Picture
 * @typedef {{number: number, image_id: string, state: State, categories: string[], doubt: number,
 *   reason: string, missing: boolean}} Entry
 */

/** @type {Record<string, Category>} Filled in once, with what the server says. */
export const CATEGORIES = {};

/** @type {Visibility[]} */
const STEPS = ['visible', 'occluded', 'absent'];

/** @param {number} value */
const rounded = (value) => Math.round(value * 100) / 100;

/**
 * Pairs of names to draw lines between; a point that is absent is bridged along the outline.
 * @param {Garment} garment
 * @returns {[string, string][]}
 */
export function links(garment) {
  const { outline, seams } = CATEGORIES[garment.category];
  /** @param {string} name */
  const present = (name) => garment.keypoints[name].visibility !== 'absent';
  const around = outline.filter(present);
  if (around.length > 2) around.push(around[0]);
  return [around, ...seams.map((seam) => seam.filter(present))].flatMap((run) =>
    run.slice(1).map((name, index) => /** @type {[string, string]} */ ([run[index], name])));
}

/**
 * The garment with some points changed; a point that moves is no model's any more.
 * @param {Garment} garment
 * @param {Record<string, Partial<Point>>} changes
 * @returns {Garment}
 */
export function withPoints(garment, changes) {
  const keypoints = { ...garment.keypoints };
  for (const [name, change] of Object.entries(changes)) {
    const { score, spread, ...point } = { ...keypoints[name], ...change };
    keypoints[name] = { ...point, x: rounded(point.x), y: rounded(point.y) };
  }
  return { ...garment, keypoints };
}

/**
 * @param {Garment} garment
 * @param {number} dx
 * @param {number} dy
 */
export function moved(garment, dx, dy) {
  return withPoints(garment, Object.fromEntries(Object.entries(garment.keypoints)
    .map(([name, { x, y }]) => [name, { x: x + dx, y: y + dy }])));
}

/**
 * Left becomes right: the places stay, the names change sides.
 * @param {Garment} garment
 * @returns {Garment}
 */
export function swapped(garment) {
  const { mirrored } = CATEGORIES[garment.category];
  return { ...garment, keypoints: Object.fromEntries(Object.keys(garment.keypoints)
    .map((name) => [name, garment.keypoints[mirrored[name]]])) };
}

/**
 * @param {Garment} garment
 * @param {string} name
 */
export function stepped(garment, name) {
  const next = STEPS[(STEPS.indexOf(garment.keypoints[name].visibility) + 1) % STEPS.length];
  return withPoints(garment, { [name]: { visibility: next } });
}

/**
 * The box around the points that are there, or around all where none is.
 * @param {Garment} garment
 * @returns {[number, number, number, number]}
 */
export function bounds(garment) {
  const all = Object.values(garment.keypoints);
  const there = all.filter((point) => point.visibility !== 'absent');
  const points = there.length ? there : all;
  const xs = points.map((point) => point.x), ys = points.map((point) => point.y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** @param {string} name */
export const inWords = (name) => name.replaceAll('_', ' ');
