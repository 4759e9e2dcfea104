"""SageMaker and Glue jobs of the embedded AWS, executed for real: `install(context)` adds them to ministack."""

from local.jobs.installation import install

__all__ = ["install"]
