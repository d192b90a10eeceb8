// What a shop on Node would write with Amplitude's library.
const { flush, init, track } = require("@amplitude/analytics-node");

const settings = { serverUrl: `${process.env.ARGUX_URL}/2/httpapi`, flushMaxRetries: 2 };
const send = async () => {
  await init(process.env.ARGUX_KEY, settings).promise;
  const sent = track("checkout_started", { country: "FR", total: 12.5 }, { user_id: "amplitude-node" });
  await flush().promise;
  const result = await sent.promise;
  if (result.code !== 200) console.error(result);
  process.exit(result.code === 200 ? 0 : 1);
};
send();
