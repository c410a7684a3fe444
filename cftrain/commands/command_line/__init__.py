"""How what is typed is read, and how mistakes in it are told."""
