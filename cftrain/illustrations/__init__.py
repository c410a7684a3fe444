"""Small experiments that show what the method does."""
