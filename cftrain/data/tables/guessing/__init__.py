"""From a file alone to its declaration: what its columns are taken for."""
