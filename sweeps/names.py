"""Names of studies, which are names of folders, too."""

from __future__ import annotations

import re
import unicodedata

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def explain_name(name: str) -> str:
    """Return the reason that a study cannot have this name; empty where it can."""
    if _NAME.fullmatch(name) and ".." not in name:
        return ""
    return f"a study's name begins with a letter or digit and goes on with those and . _ + -, up to 100, unlike {name!r}"


def suggest_name(name: str) -> str:
    """Return the nearest name that a study can have; empty where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = re.sub(r"\.\.+", ".", re.sub(r"[^A-Za-z0-9._+-]+", "-", plain)).strip("._+-")[:100]
    return text if text and not explain_name(text) else ""
