"""Nets that tests run over: each classifier that is written out, and one of those that are no more than a spelling."""

from __future__ import annotations

from cnn.nets import NETS, SPELLED

WRITTEN = [name for name, net in NETS.items() if net.is_classifier and not net.spelling]
KINDS = [*WRITTEN, SPELLED]
