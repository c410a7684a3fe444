"""Tables, their constraints and how rows are drawn from them."""
