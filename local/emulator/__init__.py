"""The embedded AWS: ministack, started by our launcher, with one small hook per service where it differs from AWS."""
