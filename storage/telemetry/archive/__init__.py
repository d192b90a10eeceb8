"""The cold store: Parquet files that DuckDB reads."""
