"""Stored results of many folders as one: finished pairs, each once."""
