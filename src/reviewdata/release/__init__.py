"""A release: a review frozen as a citable dataset, with all that a reader needs."""
