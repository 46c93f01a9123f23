"""Releases: a review frozen as a citable dataset, sent to a repository, and fetched from one."""
