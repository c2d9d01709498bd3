"""Digests of the recordings of a public corpus, by which `arena contest pack` knows them again.

python -m benchmarks.public_corpora fsdd ../shared/corpora/fsdd
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cnn.corpus.scan import scan
from cnn.pack.public_corpora import KNOWN, write_known


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("name", choices=KNOWN)
    parser.add_argument("folder", type=Path)
    words = parser.parse_args()
    print(f"{words.name}: {write_known(words.name, scan(words.folder)):,} digests")


if __name__ == "__main__":
    main()
