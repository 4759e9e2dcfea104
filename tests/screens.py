"""What the dashboard has a screen for, read from its own list of routes."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

ROUTES = Path(__file__).parents[1] / "frontend" / "src" / "app" / "routes.tsx"
_PATH = re.compile(r"^  path: '([^']+)',$", re.MULTILINE)


def is_a_screen(path: str) -> bool:
    """Whether one of the routes shows something at `path`, which may have a query."""
    routes = _PATH.findall(ROUTES.read_text())
    assert len(routes) > 10
    patterns = [re.sub(r"\\\$\w+", "[^/]+", re.escape(route)) for route in routes]
    return any(re.fullmatch(pattern, urlsplit(path).path) for pattern in patterns)
