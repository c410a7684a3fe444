"""Advice as people and programs read it: text, JSON, CSV and Parquet."""
