"""Relations between columns: linear inequalities in raw units."""
