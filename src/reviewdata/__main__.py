"""Run the command line: `python -m reviewdata`, and the command `reviewdata`.

Nothing is imported above the function, so that Ctrl-C is no traceback from the start on.
"""


def main() -> int:
    """Run the command line of the process and return its exit code."""
    try:
        from reviewdata.cli import main as run

        return run()
    except KeyboardInterrupt:  # before the command has begun, or at its very end
        import sys

        if sys.stderr is not None:
            sys.stderr.write("reviewdata: stopped\n")
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
