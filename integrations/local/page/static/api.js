// Calls the page's own server.

/** A failed request; the message is for the person who acted. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const detail = body.detail ?? {};
  throw new Refusal(detail.error ?? `http_${response.status}`, detail.message ?? "The workspace did not take that.");
}

/** Read the state of the page for one person. */
export async function readState(user) {
  return answer(await fetch(`/page/state${user ? `?user=${encodeURIComponent(user)}` : ""}`));
}

/** Post an action, such as `send("/page/act", {...})`. */
export async function send(path, body) {
  return answer(
    await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  );
}

/** How long to wait before retrying a background request that failed. */
export const PAUSE_MS = 1000;

/** Call `changed` now and after every change. The browser reconnects by itself, except after a refusal. */
export function follow(changed, connection) {
  const stream = new EventSource("/page/stream");
  stream.addEventListener("changed", changed);
  stream.addEventListener("open", () => connection(true));
  stream.addEventListener("error", () => {
    connection(false);
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => follow(changed, connection), PAUSE_MS);
  });
}
