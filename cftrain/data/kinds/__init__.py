"""Kinds of raw columns, each with its way to model inputs and back."""
