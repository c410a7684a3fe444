"""What one step of training does with a stack: its rows, its slopes, its losses."""
