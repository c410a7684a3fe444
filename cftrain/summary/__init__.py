"""From Parquet to tables and figures; nothing here needs torch."""
