"""What budgets have tried and kept."""
