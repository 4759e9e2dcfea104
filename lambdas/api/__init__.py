"""The REST API: one function, a router per resource, one mapping of errors."""
