"""Cells, and the stacks that train them."""
