"""Attacks and faults: the quick part runs always, the rest as `make torture`."""
