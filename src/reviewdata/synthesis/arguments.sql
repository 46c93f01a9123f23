-- What the other files do with what they are given: known words, bounds, numbers that are finite.

-- The text of the error for a word that is not known; the nearest is by edit distance.
CREATE OR REPLACE MACRO _unknown(what, given, known) AS
  what || ': ' || coalesce('''' || CAST(given AS VARCHAR) || '''', 'null')
  || ' is not known; nearest ''' || list_sort(list_transform(known, lambda _word: {
    'distance': levenshtein(lower(coalesce(CAST(given AS VARCHAR), '')), lower(_word)),
    'word': _word
  }))[1].word || ''' of ' || array_to_string(known, ', ');

-- The value if it is one of the known words, else an error.
CREATE OR REPLACE MACRO _choice(chosen, known, what) AS
  CASE WHEN list_contains(known, CAST(chosen AS VARCHAR)) THEN CAST(chosen AS VARCHAR)
    ELSE error(_unknown(what, chosen, known)) END;

-- The text of the error for an option that is given by its place. by_name stands before the options
-- of a macro for such a one to land in; it is not documented.
CREATE OR REPLACE MACRO _by_place(what, example) AS
  what || ' takes all but its data by name, as in ' || example;

-- The option if none was given by its place, else an error.
CREATE OR REPLACE MACRO _named(option, by_name, what, example) AS
  CASE WHEN by_name IS NULL THEN option ELSE error(_by_place(what, example)) END;

-- Whether an option that is a column was given. Its type is known before anything runs, so that what
-- is only done for it costs nothing without it.
CREATE OR REPLACE MACRO _is_given(x) AS (typeof(list(x)) <> '"NULL"[]');

-- Whether a number is finite and above, or at least, a bound; false for NaN, null for null.
CREATE OR REPLACE MACRO _above(x, bound) AS x > bound AND x < CAST('inf' AS DOUBLE);
CREATE OR REPLACE MACRO _least(x, bound) AS x >= bound AND x < CAST('inf' AS DOUBLE);

-- The number, or null where it is not finite.
CREATE OR REPLACE MACRO _finite(x) AS
  list_transform([CAST(x AS DOUBLE)], lambda _e: CASE WHEN isfinite(_e) THEN _e END)[1];

-- The share of a confidence level that lies outside: 0.05 for 95, 0.95 and '95'. A level is a
-- percent from 50 to below 100, or a share from 0.5 to below 1: null for anything else.
CREATE OR REPLACE MACRO _alpha(level) AS
  CASE WHEN TRY_CAST(level AS DOUBLE) >= 50 AND TRY_CAST(level AS DOUBLE) < 100
    THEN (100 - TRY_CAST(level AS DOUBLE)) / 100
    WHEN TRY_CAST(level AS DOUBLE) >= 0.5 AND TRY_CAST(level AS DOUBLE) < 1
    THEN (100 - 100 * TRY_CAST(level AS DOUBLE)) / 100
  END;

-- The same, or an error. (DuckDB computes a CASE of constants once, and coalesce for every row.)
CREATE OR REPLACE MACRO _outside(level, what) AS
  CASE WHEN _alpha(level) IS NULL
    THEN error(what || ': the level is ' || coalesce(CAST(level AS VARCHAR), 'NULL')
      || '; give a percent from 50 to below 100 or a share from 0.5 to below 1')
    ELSE _alpha(level)
  END;

-- An amount to add to cells, or an error.
CREATE OR REPLACE MACRO _amount(amount, what) AS
  CASE WHEN _least(CAST(amount AS DOUBLE), 0) THEN CAST(amount AS DOUBLE)
    ELSE error('add of ' || what || ': ' || coalesce(CAST(amount AS VARCHAR), 'null')
      || ' is no number of 0 or more')
  END;
