"""Nets that tests run over: each classifier that is written out, and one of those that are no more than a spelling."""

from __future__ import annotations

from cnn.nets import CLASSIFIERS, NETS, SPELLED

WRITTEN = [name for name in CLASSIFIERS if not NETS[name].spelling]
KINDS = [*WRITTEN, SPELLED]
