"""Slow second implementations, written from the method and not from the code."""
