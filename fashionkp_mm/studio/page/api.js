/** Requests to the server. */

/** What the server refused, with what it said. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {any} body
   */
  constructor(status, body) {
    super(body.error ?? `the server answered ${status}`);
    this.status = status;
    this.body = body;
  }
}

/**
 * @param {string} path
 * @param {any} [body] Sent as JSON by POST; without one it is a GET.
 * @returns {Promise<any>}
 * @throws {Refusal} The server said no. Any other error: it did not answer.
 */
export async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, content);
  return content;
}

/**
 * Where a picture's image is. With what it contains in its address, the browser asks only once.
 * @param {import('./model.js').Picture} picture
 */
export const imageOf = ({ number, content }) => `/api/pictures/${number}/image?content=${content}`;
