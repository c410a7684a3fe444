"""Stacks of dense layers, differentiated by hand."""
