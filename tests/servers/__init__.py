"""Real repositories on the loopback address, with stand-ins for their search engines alone."""
