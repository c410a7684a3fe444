"""Training of a stack."""
