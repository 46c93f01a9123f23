"""Whether the printed numbers of a statistic could be true together.

Every check takes the columns of a bound statistic as arrays and returns what it found for each
row. A printed number stands for all numbers that round to it; a check fires only where none of
them could agree. Nothing here knows a table, a file or a review.
"""
