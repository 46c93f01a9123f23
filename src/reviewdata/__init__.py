"""Keep a review's extracted data as a validated, computed, citable data package."""

from importlib.metadata import version as _version

__version__ = _version("reviewdata")
