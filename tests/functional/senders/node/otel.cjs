// What a service on Node sends through OpenTelemetry's exporters, which speak OTLP as JSON.
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-http");
const { OTLPLogExporter } = require("@opentelemetry/exporter-logs-otlp-http");
const { OTLPMetricExporter } = require("@opentelemetry/exporter-metrics-otlp-http");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { LoggerProvider, SimpleLogRecordProcessor } = require("@opentelemetry/sdk-logs");
const { MeterProvider, PeriodicExportingMetricReader } = require("@opentelemetry/sdk-metrics");
const { NodeTracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace-node");

const resource = resourceFromAttributes({ "service.name": process.env.SERVICE, "service.version": "v7" });
const settings = (signal) => ({
  url: `${process.env.ARGUX_URL}/v1/${signal}`,
  headers: { Authorization: `Bearer ${process.env.ARGUX_KEY}` },
  compression: process.env.COMPRESSION,
});

const tracing = new NodeTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(settings("traces")))],
});
const logging = new LoggerProvider({
  resource,
  processors: [new SimpleLogRecordProcessor({ exporter: new OTLPLogExporter(settings("logs")) })],
});
const metering = new MeterProvider({
  resource,
  readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(settings("metrics")) })],
});

const span = tracing.getTracer("shop").startSpan("POST /checkout", {
  kind: 1,
  attributes: { "http.request.method": "POST", "http.route": "/checkout", "http.response.status_code": 500 },
});
span.end();
logging.getLogger("shop").emit({ severityNumber: 17, body: "payment refused", attributes: { order: 7 } });
metering.getMeter("shop").createCounter("orders").add(3, { country: "DE" });
metering.getMeter("shop").createHistogram("checkout.duration").record(0.25);

Promise.all([tracing.shutdown(), logging.shutdown(), metering.shutdown()]).catch((error) => {
  console.error(error);
  process.exit(1);
});
