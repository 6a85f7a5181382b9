"""The files of the tree, as the checks see them: tracked or new, never ignored."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def tree_files():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(f for f in listed.split("\0") if f and (ROOT / f).is_file())


def cpp_files():
    return [f for f in tree_files() if f.endswith((".cpp", ".hpp"))]


def changed_files(base):
    """Files that differ from the commit `base`, committed or not, and new ones."""
    differing = subprocess.run(["git", "diff", "--name-only", "-z", base], cwd=ROOT, check=True,
                               capture_output=True, text=True).stdout.split("\0")
    new = subprocess.run(["git", "ls-files", "-z", "--others", "--exclude-standard"], cwd=ROOT,
                         check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted({f for f in differing + new if f and (ROOT / f).is_file()})
