"""The command line: a person's way to the deployed resources, on AWS as on the local platform."""
