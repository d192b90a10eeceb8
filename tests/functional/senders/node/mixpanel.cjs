// What a shop on Node would write with Mixpanel's library.
const Mixpanel = require("mixpanel");

const { hostname, port } = new URL(process.env.ARGUX_URL);
const mixpanel = Mixpanel.init(process.env.ARGUX_KEY, { host: `${hostname}:${port}`, protocol: "http" });
// One event goes in the address of a GET, several in the body of a POST.
const event = (number) => ({
  event: "checkout_started",
  properties: { distinct_id: "mixpanel-node", country: "FR", number },
});
const done = (failures) => {
  const found = [failures].flat().filter(Boolean);
  for (const failure of found) console.error(failure);
  if (found.length) process.exit(1);
};
mixpanel.track("checkout_started", event(1).properties, (failure) => {
  done(failure);
  mixpanel.track_batch([event(2), event(3)], (failures) => {
    done(failures);
    process.exit(0);
  });
});
