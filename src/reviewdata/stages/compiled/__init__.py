"""A Table Schema as SQL: frictionless's verdicts from the text that was loaded, in few scans."""
