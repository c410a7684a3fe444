"""Kinds of numbers in tables; YAML names them, layouts show them."""
