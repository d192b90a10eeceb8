"""Changes to configuration, manifests and schemas that break something in production."""

from __future__ import annotations

from tests.evals.scenarios.diff import Template

FILES = (
    Template(
        "timeout_lowered",
        "yaml",
        "deploy/@svc@/values.yaml",
        "@svc@: review of client settings",
        "clients:",
        """
   @callee@:
     host: @callee@.shop.svc
-    timeoutMs: @old@
+    timeoutMs: @new@
     keepAlive: true
""",
    ),
    Template(
        "pool_lowered",
        "yaml",
        "deploy/@svc@/values.yaml",
        "@svc@: right-size connections",
        "database:",
        """
   host: @store@
-  poolSize: @old@
+  poolSize: @new@
   statementTimeoutMs: 5000
""",
    ),
    Template(
        "ttl_lowered",
        "yaml",
        "config/shared/cache.yaml",
        "cache: update defaults",
        "defaults:",
        """
   backend: redis
-  ttlSeconds: @old@
+  ttlSeconds: @new@
   maxEntries: 200000
""",
    ),
    Template(
        "schema_migration",
        "sql",
        "@svc@/migrations/0@n@_rename_@thing@.sql",
        "Rename @thing@ to match the glossary",
        "",
        """
+ALTER TABLE orders RENAME COLUMN @thing@_id TO @thing@_ref;
+ALTER TABLE orders DROP COLUMN legacy_@thing@;
""",
    ),
    Template(
        "schema_migration",
        "python",
        "@svc@/migrations/versions/0@n@_@thing@.py",
        "Drop what is no longer used",
        "def upgrade() -> None:",
        """
-    pass
+    op.drop_column("orders", "@thing@_id")
+    op.alter_column("orders", "state", new_column_name="status", existing_type=sa.Text())
""",
    ),
    Template(
        "schema_migration",
        "ruby",
        "@svc@/db/migrate/20260@n@_rename_@thing@.rb",
        "Rename @thing@ column",
        "class Rename@Thing@ < ActiveRecord::Migration[7.1]",
        """
   def change
-    add_column :orders, :@thing@_ref, :bigint
+    rename_column :orders, :@thing@_id, :@thing@_ref
   end
""",
    ),
    Template(
        "disk_full",
        "yaml",
        "deploy/@svc@/values.yaml",
        "@svc@: more detail while we look into the refunds",
        "logging:",
        """
-  level: info
+  level: trace
   file: /var/log/app/app.log
-  rotate: { maxSizeMb: 200, keep: 5 }
""",
    ),
    Template(
        "node_pressure",
        "yaml",
        "deploy/@svc@/cronjob.yaml",
        "@svc@: finish before the morning",
        "containers:",
        """
         args: ["import", "--all"]
-        env: [{name: BATCH_ROWS, value: "5000"}]
-        resources: {limits: {memory: 2Gi}}
+        env: [{name: BATCH_ROWS, value: "5000000"}]
+        resources: {requests: {memory: 512Mi}}
""",
    ),
)
