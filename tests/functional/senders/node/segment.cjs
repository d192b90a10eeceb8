// What a shop on Node would write with Segment's library.
const { Analytics } = require("@segment/analytics-node");

const analytics = new Analytics({ host: process.env.ARGUX_URL, writeKey: process.env.ARGUX_KEY, flushAt: 10 });
const failures = [];
analytics.on("error", (error) => failures.push(error));
analytics.identify({ userId: "segment-node", traits: { plan: "free" } });
analytics.track({ userId: "segment-node", event: "Checkout Started", properties: { country: "DE", total: 12.5 } });
analytics.page({ userId: "segment-node", name: "Pricing", properties: { path: "/pricing" } });
analytics.closeAndFlush().then(() => {
  for (const failure of failures) console.error(failure);
  process.exit(failures.length ? 1 : 0);
});
