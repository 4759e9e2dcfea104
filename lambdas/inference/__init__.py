"""Functions of predictions: the one that answers, and the one that files what was answered."""
