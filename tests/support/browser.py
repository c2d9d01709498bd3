"""Headless Chromium for the tests that look at pages, and scripts that find what is cut off."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


CUT_OFF = """() => [...document.querySelectorAll('body *')].filter(e => !(e instanceof SVGElement)
    && e.getClientRects().length && getComputedStyle(e).display !== 'inline'
    && !['auto', 'scroll'].includes(getComputedStyle(e).overflowX)
    && (e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth + 1))
    .map(e => e.outerHTML.slice(0, 120))"""


TEXT_OUTSIDE = """() => [...document.querySelectorAll('svg text')].filter(t => !t.closest('.scroll')).filter(t => {
    const box = t.getBoundingClientRect(), frame = t.ownerSVGElement.getBoundingClientRect();
    return box.width && (box.left < frame.left - 2 || box.right > frame.right + 2 || box.right > innerWidth + 1
        || box.bottom > frame.bottom + 2); }).map(t => t.textContent)"""


needs_chromium = pytest.mark.skipif(
    not Path(CHROMIUM).exists() and os.environ.get("CI") != "true", reason="no Chromium here; install it to look at the page"
)
