"""One metric a file; YAML names them, nobody imports them."""
