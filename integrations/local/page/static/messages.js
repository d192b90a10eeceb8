// One message with its author, its contents and the button that opens its thread.

import { renderBlocks } from "./blocks.js";
import { h, link } from "./dom.js";
import { EMOJI } from "./emoji.js";
import { mrkdwn } from "./text.js";

const moment = (ts) => new Date(Number(ts) * 1000);
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/** The text of the day separator for a message. */
export function dayOf(ts) {
  const day = moment(ts);
  const today = new Date();
  if (day.toDateString() === today.toDateString()) return "Today";
  today.setDate(today.getDate() - 1);
  return day.toDateString() === today.toDateString() ? "Yesterday" : DAY.format(day);
}

/** The time of day in the reader's time zone; the full date on hover and for screen readers. */
export function timeOf(ts) {
  const when = moment(ts);
  return h("time", { datetime: when.toISOString(), title: FULL.format(when) }, CLOCK.format(when));
}

/** A square with initials; the colour depends on the name. */
export function avatar(name, isBot) {
  const initials = name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("").toUpperCase();
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 12, 7);
  return h("span", { class: `avatar hue-${hue} ${isBot ? "bot" : ""}`, "aria-hidden": "true" }, initials);
}

function attachment(entry, context) {
  const body = entry.blocks?.length
    ? renderBlocks(entry.blocks, context)
    : [
        entry.pretext && mrkdwn(entry.pretext, context),
        entry.title && h("p", { class: "heading" }, entry.title_link ? link(entry.title_link, entry.title) : entry.title),
        mrkdwn(entry.text ?? entry.fallback ?? "", context),
        (entry.fields ?? []).map((field) => h("p", {}, h("strong", {}, field.title), " ", field.value)),
      ];
  const bar = h("div", { class: "attachment" }, body);
  if (/^#?[0-9a-f]{6}$/i.test(entry.color ?? "")) bar.style.borderLeftColor = `#${entry.color.replace("#", "")}`;
  return bar;
}

function file(entry) {
  const address = `/page/files/${entry.id}`;
  return entry.mimetype.startsWith("image/")
    ? h("figure", {}, h("figcaption", {}, entry.title), h("img", { src: address, alt: entry.alt_txt || entry.title }))
    : h("p", {}, link(address, entry.title));
}

const reaction = (entry) => h("span", { class: "reaction" }, `${EMOJI[entry.name] ?? `:${entry.name}:`} ${entry.count}`);

function contents(message, context) {
  if (message.deleted) return h("p", { class: "quiet" }, message.text);
  // As in Slack, blocks replace the text, which is then used only for notifications.
  const body = message.blocks.length ? renderBlocks(message.blocks, context) : mrkdwn(message.text, context);
  return [
    h("div", { class: "body" }, body),
    message.attachments.map((entry) => attachment(entry, context)),
    message.files.map(file),
    message.reactions.length > 0 && h("p", { class: "reactions" }, message.reactions.map(reaction)),
  ];
}

function threadLink(message, context) {
  const count = message.thread?.length;
  if (!count || !context.openThread) return null;
  const words = `${count} ${count === 1 ? "reply" : "replies"}`;
  const newest = message.thread.at(-1);
  const names = [...new Set(message.thread.map((reply) => reply.user))].slice(0, 4).map((id) => context.users.get(id));
  return h(
    "button",
    { type: "button", class: "plain replies", "data-testid": "open-thread", onclick: () => context.openThread(message) },
    names.map((person) => avatar(person?.name ?? "?", person?.is_bot)),
    h("strong", {}, words),
    h("span", { class: "quiet" }, " last at ", timeOf(newest.ts)),
  );
}

/** The element for one message; `testId` distinguishes messages in the channel from those in a thread. */
export function renderMessage(message, context, testId) {
  const author = context.users.get(message.user);
  const name = author?.name ?? message.user;
  const own = { ...context, press: (element, value, pressed) => context.act(message, element, value, pressed) };
  const classes = ["message", message.ephemeral && "ephemeral", message.blocks.length === 0 && message.text.length < 1 && "empty"];
  return h(
    "article",
    { class: classes.filter(Boolean).join(" "), "data-testid": testId, "data-ts": message.ts, "aria-label": `${name}, ${CLOCK.format(moment(message.ts))}` },
    avatar(name, message.is_bot),
    h(
      "div",
      { class: "content" },
      message.ephemeral && h("p", { class: "quiet only-you" }, "Only visible to you"),
      h("p", { class: "author" }, h("strong", {}, name), message.is_bot && h("span", { class: "app" }, "APP"), " ", timeOf(message.ts), message.edited && h("span", { class: "quiet edited" }, " (edited)")),
      contents(message, own),
      threadLink(message, context),
    ),
  );
}
