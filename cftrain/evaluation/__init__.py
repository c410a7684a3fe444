"""How good models and their counterfactuals are."""
