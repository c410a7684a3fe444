"""Tables of results: what stands in them, their lines and their formats."""
