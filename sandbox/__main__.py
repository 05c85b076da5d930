"""Run the sandbox: `python -m sandbox --host 127.0.0.1 --port 8099 --config sandbox.json`."""

import argparse
import sys
from pathlib import Path

from pydantic import ValidationError

from sandbox.app import Config, Sandbox
from sandbox.server import serve


def main() -> int:
    """Read the arguments and serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--config", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        config = Config.model_validate_json(arguments.config.read_bytes())
    except OSError as error:
        return _fail(f"{arguments.config} cannot be read: {error.strerror}; check --config")
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        return _fail(f"{arguments.config}: {where}: {first['msg']}")
    host, port = arguments.host, arguments.port
    try:
        serve(Sandbox(config), host=host, port=port)
    except OSError as error:
        return _fail(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port")
    return 0


def _fail(message: str) -> int:
    sys.stderr.write(f"sandbox: {message}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
