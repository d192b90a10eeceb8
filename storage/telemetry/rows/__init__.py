"""The telemetry tables, and the conversion of records to rows and back."""
