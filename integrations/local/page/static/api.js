// Talks to the page's own server.

/** What went wrong, in words for the person who pressed. */
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

/** What one person sees. */
export async function readState(user) {
  return answer(await fetch(`/page/state${user ? `?user=${encodeURIComponent(user)}` : ""}`));
}

/** Do something, such as `send("/page/act", {...})`. */
export async function send(path, body) {
  return answer(
    await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  );
}

/** How long to wait before trying again what failed without anybody having asked for it. */
export const PAUSE_MS = 1000;

/** Call `changed` now and whenever anything changes; the browser reconnects by itself, except after a refusal. */
export function follow(changed, connection) {
  const stream = new EventSource("/page/stream");
  stream.addEventListener("changed", changed);
  stream.addEventListener("open", () => connection(true));
  stream.addEventListener("error", () => {
    connection(false);
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => follow(changed, connection), PAUSE_MS);
  });
}
