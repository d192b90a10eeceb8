// What a service on Node logs with pino, set up as in docs/connecting.md.
const pino = require("pino");
const pinoElastic = require("pino-elasticsearch");

const failures = [];
const watched = (options) => {
  const stream = pinoElastic(options);
  for (const kind of ["error", "insertError", "unknown"]) stream.on(kind, (failure) => failures.push(failure));
  return stream;
};
const made = new Function("pino", "pinoElastic", `${process.env.RECIPE}; return logger;`)(pino, watched);
const logger = made.child({ service: process.env.SERVICE });
logger.error({ order: 7 }, "payment refused");
logger.info("payment taken");
logger.flush(() => {
  for (const failure of failures) console.error(failure);
  process.exitCode = failures.length ? 1 : 0;
});
