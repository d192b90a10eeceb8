// The emoji that a bot is likely to use; any other name is shown as written.

export const EMOJI = {
  "+1": "👍", "-1": "👎", arrow_right: "➡️", bar_chart: "📊", bell: "🔔", blue_circle: "🔵", bulb: "💡", bug: "🐛",
  chart_with_downwards_trend: "📉", chart_with_upwards_trend: "📈", checkered_flag: "🏁", clock1: "🕐", dart: "🎯",
  eyes: "👀", fire: "🔥", green_circle: "🟢", heavy_check_mark: "✔️", hourglass: "⌛", hourglass_flowing_sand: "⏳",
  information_source: "ℹ️", large_blue_circle: "🔵", large_green_circle: "🟢", large_orange_circle: "🟠",
  large_yellow_circle: "🟡", link: "🔗", lock: "🔒", mag: "🔍", memo: "📝", mute: "🔇", no_entry: "⛔", package: "📦",
  page_facing_up: "📄", point_right: "👉", question: "❓", red_circle: "🔴", robot_face: "🤖", rocket: "🚀",
  rotating_light: "🚨", sos: "🆘", sparkles: "✨", speech_balloon: "💬", stopwatch: "⏱️", tada: "🎉", thumbsdown: "👎",
  thumbsup: "👍", ticket: "🎫", warning: "⚠️", wave: "👋", white_check_mark: "✅", white_circle: "⚪", wrench: "🔧",
  x: "❌", zap: "⚡",
};
