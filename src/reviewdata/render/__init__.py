"""Results as text: one module a format, each a pure function from a result to text."""
