"""Table A1 of the paper's draft, held against a grid of ours."""
