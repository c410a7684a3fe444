"""How far a measure can be lowered: to what observed rows score themselves."""

FLOOR_MARGIN = 0.02
"""A baseline this share of itself above the floor, or less, stands at the floor."""


def at_floor(baseline: float, floor: float) -> bool:
    """Returns whether a baseline leaves no gap worth closing."""
    return baseline - floor <= FLOOR_MARGIN * abs(baseline)


def gap_closed(model: float, baseline: float, floor: float) -> float:
    """Returns the percentage of the way from the baseline to the floor."""
    return 100 * (baseline - model) / (baseline - floor)
