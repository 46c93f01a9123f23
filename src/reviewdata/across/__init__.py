"""The framework's rules across rows and tables, on declared statistics and studies, as SQL.

Each asks for the records at fault: their `_row`, what the message names, and where a rule has
several outcomes the `level` and the `reason` (a key of the rule's messages).
"""
