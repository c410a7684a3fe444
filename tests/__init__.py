"""The test suite; it mirrors `cftrain`."""
