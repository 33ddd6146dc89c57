"""Check ONNX files with ONNX's own checker, shape inference included: `python scripts/check_onnx.py MODEL.onnx ...`

Needs `pip install onnx`. Prints one line per file. Exits with 1 if a file is not valid (the checker's message goes to stderr), with 2
on wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import onnx


def check(file: Path) -> str | None:
    """What is wrong with `file`, or None. The checker reads the path itself, so external data beside it is checked too."""
    if not file.is_file():
        return "no such file"
    try:
        onnx.checker.check_model(str(file), full_check=True)
    except Exception as error:  # the checker, shape inference and protobuf each raise a class of their own
        return f"{type(error).__name__}: {error}"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="MODEL.onnx")
    failed = False
    for file in parser.parse_args().files:
        problem = check(file)
        if problem:
            print(f"{file}: {problem}", file=sys.stderr)
            failed = True
        else:
            print(f"{file}: valid (onnx {onnx.__version__})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
