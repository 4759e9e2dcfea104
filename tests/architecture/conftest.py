"""Some of these tests import the stacks, whose aws_cdk starts Node.js at import."""

from __future__ import annotations

import app

app.choose_node()
