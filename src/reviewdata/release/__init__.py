"""A release: a review frozen as a citable dataset, with everything that a reader needs beside it."""
