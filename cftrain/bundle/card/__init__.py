"""The model card of a bundle: what a model is, for people."""
