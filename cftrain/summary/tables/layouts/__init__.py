"""Kinds of tables; YAML names them, `cftrain tables` builds them."""
