"""Results on disk: Parquet tables that any tool can read."""
