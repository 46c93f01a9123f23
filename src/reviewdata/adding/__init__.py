"""Rows that are added to a table: from options, from answers, from a filled-in workbook."""
