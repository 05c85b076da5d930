"""`python -m cli` is `connext`, where the package is not installed (in the container image)."""

from cli.main import run

if __name__ == "__main__":
    run()
