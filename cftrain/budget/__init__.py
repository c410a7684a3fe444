"""What a stronger objective may cost, and the strongest model that costs no more."""
