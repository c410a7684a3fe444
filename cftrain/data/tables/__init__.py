"""Tables: where they come from, what is made of their rows, and their labels."""
