"""Changes to Java and Kotlin code that break something in production."""

from __future__ import annotations

from tests.evals.scenarios.diff import Template

JAVA = (
    Template(
        "n_plus_one",
        "java",
        "@svc@/src/main/java/shop/@svc_id@/OrderViewService.java",
        "Simplify mapping of order views",
        "public List<LineView> lines(Order order) {",
        """
-        Map<String, @Thing@> bySku = repository.findAllBySkuIn(order.skus());
-        return order.lines().stream()
-            .map(line -> LineView.of(line, bySku.get(line.sku())))
-            .toList();
+        return order.lines().stream()
+            .map(line -> LineView.of(line, repository.findBySku(line.sku())))
+            .toList();
     }
""",
    ),
    Template(
        "timeout_lowered",
        "java",
        "@svc@/src/main/java/shop/@svc_id@/ClientConfig.java",
        "Use the shared client factory",
        "RestClient @callee_id@Client(ClientFactory factory) {",
        """
         return factory.client("@callee@")
             .connectTimeout(Duration.ofMillis(500))
-            .readTimeout(Duration.ofMillis(@old@))
+            .readTimeout(Duration.ofMillis(@new@))
             .build();
     }
""",
    ),
    Template(
        "memory_leak",
        "java",
        "@svc@/src/main/java/shop/@svc_id@/RequestContext.java",
        "Trace ids for asynchronous calls",
        "public final class RequestContext {",
        """
-    private static final ThreadLocal<Context> CURRENT = new ThreadLocal<>();
+    private static final Map<String, Context> CURRENT = new ConcurrentHashMap<>();

     public static void begin(Context context) {
-        CURRENT.set(context);
+        CURRENT.put(context.requestId(), context);
     }
-
-    public static void end() {
-        CURRENT.remove();
-    }
""",
    ),
    Template(
        "slow_downstream",
        "java",
        "@svc@/src/main/java/shop/@svc_id@/PriceService.java",
        "Fix a lost update of price rules",
        "public class PriceService {",
        """
-    public Price price(String sku) {
-        return rules.get().priceOf(sku);
+    public synchronized Price price(String sku) {
+        rules.refresh(ruleClient.fetchAll());
+        return rules.priceOf(sku);
     }
""",
    ),
    Template(
        "retry_storm",
        "java",
        "@svc@/src/main/java/shop/@svc_id@/Resilience.java",
        "Tune resilience of reservations",
        "RetryConfig reservations() {",
        """
         return RetryConfig.custom()
-            .maxAttempts(2)
-            .intervalFunction(IntervalFunction.ofExponentialRandomBackoff(200, 2.0))
+            .maxAttempts(@many@)
+            .waitDuration(Duration.ZERO)
             .retryOnException(error -> error instanceof IOException)
             .build();
""",
    ),
    Template(
        "bad_release",
        "java",
        "@svc@/src/main/java/shop/@svc_id@/ReceiptMapper.java",
        "Receipts carry the loyalty tier",
        "public Receipt toReceipt(Order order) {",
        """
         return new Receipt(
             order.id(),
             order.total(),
-            order.customer().map(Customer::tier).orElse(Tier.NONE));
+            order.customer().get().tier());
     }
""",
    ),
    Template(
        "queue_backlog",
        "java",
        "@svc@/src/main/resources/application.properties",
        "Align listener settings",
        "",
        """
 spring.kafka.listener.ack-mode=record
-spring.kafka.listener.concurrency=@old@
-spring.kafka.consumer.max-poll-records=500
+spring.kafka.listener.concurrency=1
+spring.kafka.consumer.max-poll-records=5
""",
    ),
    Template(
        "node_pressure",
        "java",
        "@svc@/src/main/java/shop/batch/Importer.java",
        "Import faster by sorting in memory",
        "public void run(Path file) throws IOException {",
        """
-        try (Stream<String> lines = Files.lines(file)) {
-            lines.map(Row::parse).forEach(sink::accept);
-        }
+        List<Row> rows = Files.readAllLines(file).stream().map(Row::parse).sorted().toList();
+        sink.acceptAll(rows);
     }
""",
    ),
    Template(
        "disk_full",
        "java",
        "@svc@/src/main/resources/logback.xml",
        "Keep request bodies for the fraud team",
        "<configuration>",
        """
   <appender name="FILE" class="ch.qos.logback.core.FileAppender">
     <file>/data/log/app.log</file>
   </appender>
-  <logger name="shop.http.bodies" level="OFF"/>
+  <logger name="shop.http.bodies" level="TRACE"/>
-  <root level="INFO">
+  <root level="DEBUG">
     <appender-ref ref="FILE"/>
""",
    ),
)
