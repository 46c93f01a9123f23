"""Releases: what is built of a review, sent to a repository, and fetched from one."""
