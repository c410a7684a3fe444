"""Generators; YAML names them, nobody imports them."""
