"""Entities and pure rules: what a dataset, a run and a model version are, and which changes they allow."""
