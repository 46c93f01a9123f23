"""The tables of a review in the formats of other programs."""
