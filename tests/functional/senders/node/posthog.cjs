// What a shop on Node would write with PostHog's library.
const { PostHog } = require("posthog-node");

const client = new PostHog(process.env.ARGUX_KEY, { host: process.env.ARGUX_URL });
const failures = [];
client.on("error", (error) => failures.push(error));
client.capture({ distinctId: "posthog-node", event: "checkout_started", properties: { country: "FR" } });
client.identify({ distinctId: "posthog-node", properties: { plan: "free" } });
client.captureException(new TypeError("card is undefined"), "posthog-node", { service: "shop-node" });
client.shutdown(10000).then(() => {
  for (const failure of failures) console.error(failure);
  process.exit(failures.length ? 1 : 0);
});
