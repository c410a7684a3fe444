"""What the machine may do to a grid, and how it goes on."""
