"""The search for counterfactuals."""
