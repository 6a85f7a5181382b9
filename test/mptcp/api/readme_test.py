#!/usr/bin/env python3
"""The program that mptcp/api/README.md shows is the one that is built and run. Usage: readme_test.py README EXAMPLE"""

import pathlib
import sys

readme, example = (pathlib.Path(name).read_text() for name in sys.argv[1:3])
if f"```cpp\n{example}```\n" not in readme:
    sys.exit(f"{sys.argv[1]} does not quote {sys.argv[2]} as it stands")
