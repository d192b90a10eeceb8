// What a service on Node logs with winston, set up as in docs/connecting.md.
const winston = require("winston");
const LokiTransport = require("winston-loki");

const logger = new Function("winston", "LokiTransport", `${process.env.RECIPE}; return logger;`)(
  winston,
  LokiTransport,
);
const [transport] = logger.transports;
logger.error("payment refused", { labels: { order: "7" } });
logger.info("payment taken");
transport.flush().then(
  () => process.exit(0),
  (failure) => {
    console.error(failure);
    process.exit(1);
  },
);
