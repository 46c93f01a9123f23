"""The stages of a validation, one module each: what they share is the result they return."""
