// Turns Slack's mrkdwn and standard Markdown into DOM elements.

import { h, link } from "./dom.js";
import { EMOJI } from "./emoji.js";

const unescape = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
const EMOJI_RULE = { pattern: /:([a-z0-9_+-]+):/, build: ([whole, name]) => EMOJI[name] ?? whole };

const wrapped = (tag) => ([, inner], context, rules) => h(tag, {}, inline(inner, context, rules));

/** The element for mrkdwn in angle brackets: a person, a channel, a broadcast, a date or a link. */
function angled([whole, inner], context) {
  const [target, label] = inner.split("|", 2);
  if (target.startsWith("@")) return h("span", { class: "mention" }, `@${context.users.get(target.slice(1))?.name ?? label ?? target.slice(1)}`);
  if (target.startsWith("#")) return h("span", { class: "mention" }, `#${context.channels.get(target.slice(1))?.name ?? label ?? target.slice(1)}`);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!")) return h("span", { class: "mention" }, `@${target.slice(1).split("^")[0]}`);
  return /^(https?:|mailto:)/.test(target) ? link(unescape(target), unescape(label ?? target)) : unescape(whole);
}

function date(target, fallback) {
  const [, seconds, format] = target.split("^");
  return dateOf(seconds, format, fallback);
}

/** A time in the reader's zone, in one of Slack's date formats. */
export function dateOf(seconds, format, fallback) {
  const moment = new Date(Number(seconds) * 1000);
  if (Number.isNaN(moment.valueOf())) return fallback ?? "";
  const style = (options) => new Intl.DateTimeFormat(undefined, options).format(moment);
  const shown = (format ?? "{date_short} {time}")
    .replace(/\{date(?:_short|_long)?_pretty\}/g, (name) => nearDay(moment) ?? name)
    .replace(/\{date_num\}|\{date\}|\{date_short\}|\{date_long\}|\{date_pretty\}|\{date_short_pretty\}|\{date_long_pretty\}/g, () => style({ dateStyle: "medium" }))
    .replace(/\{time_secs\}/g, () => style({ timeStyle: "medium" }))
    .replace(/\{time\}|\{ago\}/g, () => style({ timeStyle: "short" }));
  return h("time", { datetime: moment.toISOString(), title: fallback }, shown);
}

/** "today", "yesterday" or "tomorrow" in the reader's time zone; null for any other day. */
function nearDay(moment) {
  const days = { today: 0, yesterday: -1, tomorrow: 1 };
  const now = new Date();
  const isDay = (offset) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + offset).toDateString() === moment.toDateString();
  return Object.keys(days).find((name) => isDay(days[name])) ?? null;
}

const MRKDWN = [
  { pattern: /`([^`\n]+)`/, build: ([, code]) => h("code", {}, unescape(code)) },
  { pattern: /<([^<>\n]+)>/, build: angled },
  { pattern: /(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])/, build: wrapped("strong") },
  { pattern: /(?<![\w_])_(?=[^\s_])([^\n]*?[^\s_])_(?![\w_])/, build: wrapped("em") },
  { pattern: /(?<![\w~])~(?=[^\s~])([^~\n]*[^\s~])~(?![\w~])/, build: wrapped("s") },
  EMOJI_RULE,
];

const CARD_STYLES = {
  TIME: { timeStyle: "short" },
  DATE: { weekday: "short", year: "numeric", month: "short", day: "numeric" },
};

/** Expand the two functions of Adaptive Card texts, DATE and TIME, in the reader's time zone. */
function cardMoment([whole, name, at]) {
  const moment = new Date(at);
  if (Number.isNaN(moment.valueOf())) return whole;
  return h("time", { datetime: at, title: at }, new Intl.DateTimeFormat(undefined, CARD_STYLES[name]).format(moment));
}

const MARKDOWN = [
  { pattern: /\{\{(TIME|DATE)\(([^,()\s]+)(?:,\s*\w+)?\)\}\}/, build: cardMoment },
  { pattern: /`([^`\n]+)`/, build: ([, code]) => h("code", {}, code) },
  { pattern: /\[([^\]\n]+)\]\(([^()\s]+)\)/, build: ([, label, address]) => link(address, label) },
  { pattern: /<(https?:[^<>\s]+)>/, build: ([, address]) => link(address) },
  { pattern: /\*\*(?=\S)([^\n]*?\S)\*\*/, build: wrapped("strong") },
  { pattern: /~~(?=\S)([^\n]*?\S)~~/, build: wrapped("s") },
  { pattern: /(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])/, build: wrapped("em") },
  { pattern: /(?<![\w_])_(?=[^\s_])([^\n]*?[^\s_])_(?![\w_])/, build: wrapped("em") },
  EMOJI_RULE,
];

function inline(text, context, rules) {
  const parts = [];
  let rest = text;
  while (rest) {
    let first = null;
    for (const rule of rules) {
      const match = rule.pattern.exec(rest);
      if (match && (!first || match.index < first.match.index)) first = { match, rule };
    }
    if (!first) break;
    if (first.match.index) parts.push(plain(rest.slice(0, first.match.index), rules));
    parts.push(first.rule.build(first.match, context, rules));
    rest = rest.slice(first.match.index + first.match[0].length);
  }
  if (rest) parts.push(plain(rest, rules));
  return parts;
}

const plain = (text, rules) => (rules === MRKDWN ? unescape(text) : text);

/** A code block; one that looks like a diff gets diff colours for each line. */
export function code(text, language = "") {
  const lines = text.replace(/^\n|\n$/g, "").split("\n");
  const isDiff = language === "diff" || lines.some((line) => /^(@@ |diff --git )/.test(line));
  const kind = (line) => {
    if (/^@@/.test(line)) return "hunk";
    if (/^(diff --git|index |--- |\+\+\+ )/.test(line)) return "meta";
    return line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "same";
  };
  const shown = isDiff ? lines.map((line) => h("span", { class: kind(line) }, `${line}\n`)) : [lines.join("\n")];
  return h("pre", { class: isDiff ? "diff" : "code", tabindex: "0", "aria-label": isDiff ? "Diff" : "Code" }, shown);
}

const KINDS = [
  { name: "quote", pattern: /^(?:&gt;|>) ?(.*)$/ },
  { name: "bullet", pattern: /^\s*(?:[•◦▪]|[-*](?= )) ?(.*)$/ },
  { name: "ordered", pattern: /^\s*\d+[.)] (.*)$/ },
];
const HEADING = { name: "heading", pattern: /^#{1,6} (.*)$/ };

/** Group consecutive lines of the same kind: [{kind, lines}]. */
function groups(text, kinds) {
  const found = [];
  for (const line of text.split("\n")) {
    const matched = kinds.map((kind) => ({ name: kind.name, match: kind.pattern.exec(line) })).find(({ match }) => match);
    const name = matched?.name ?? (line.trim() ? "paragraph" : "blank");
    const content = matched ? matched.match[1] : line;
    const last = found.at(-1);
    if (last?.kind === name && name !== "heading") last.lines.push(content);
    else found.push({ kind: name, lines: [content] });
  }
  return found;
}

function group({ kind, lines }, context, rules) {
  const broken = () => lines.flatMap((line, index) => (index ? [h("br"), ...inline(line, context, rules)] : inline(line, context, rules)));
  if (kind === "blank") return null;
  if (kind === "quote") return h("blockquote", {}, broken());
  if (kind === "heading") return h("p", { class: "heading" }, inline(lines[0], context, rules));
  if (kind === "paragraph") return h("p", {}, broken());
  return h(kind === "bullet" ? "ul" : "ol", {}, lines.map((line) => h("li", {}, inline(line, context, rules))));
}

function render(text, context, rules, kinds) {
  const pieces = text.split(/```/);
  return pieces.flatMap((piece, index) => {
    // An opening fence without a closing one is plain text, including the fence.
    if (index % 2 && index < pieces.length - 1) {
      const [, language = "", body] = /^(?:([a-z]+)\n)?([\s\S]*)$/.exec(piece);
      return [code(rules === MRKDWN ? unescape(body) : body, language)];
    }
    const source = index % 2 ? `\`\`\`${piece}` : piece;
    return groups(source.replace(/^\n|\n$/g, ""), kinds).map((entry) => group(entry, context, rules));
  });
}

/** Slack's mrkdwn as paragraphs, lists, quotes and code. */
export const mrkdwn = (text, context) => render(text, context, MRKDWN, KINDS);

/** A text run of an Adaptive Card: plain characters, but for its DATE and TIME functions. */
export const cardRun = (text) => inline(text, {}, [MARKDOWN[0]]);

/** Standard Markdown, limited to its common basic features. */
export const markdown = (text, context) => render(text, context, MARKDOWN, [HEADING, ...KINDS]);

/** A Block Kit text object; plain text is not wrapped in paragraphs. */
export function textObject(object, context) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text, context);
  return object.emoji === false ? [object.text] : inline(object.text, context, [EMOJI_RULE]);
}
