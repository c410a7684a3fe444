"""From YAML to frozen objects, and what identifies them."""
