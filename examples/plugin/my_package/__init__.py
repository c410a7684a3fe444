"""A generator, a metric and a data set for cftrain."""
