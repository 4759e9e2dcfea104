"""The process environment of the launcher: ministack reads its settings from it when it is imported."""

from collections.abc import Mapping

from local.context import EmulatorContext

# What a launcher may inherit. Everything else of the host, real AWS credentials above all, stays outside.
# MILLRACE_CHECKPOINTS=off: nothing is kept of this start, for benchmarks with very much data (persistence.py).
INHERITED = (
    "HOME",
    "JAVA_HOME",
    "LANG",
    "LC_ALL",
    "MILLRACE_CHECKPOINTS",
    "PATH",
    "PYTHONPATH",
    "TMPDIR",
    "TZ",
)
ROOT_KEY = "test"
ROOT_SECRET = "test"  # noqa: S105


def launcher_environment(host: Mapping[str, str], context: EmulatorContext) -> dict[str, str]:
    """Return the launcher's whole environment: little of the host, ministack's settings, its own endpoint and keys.

    `ROOT_KEY` is ministack's root caller; on loopback it protects nothing, so it is the well-known one.
    """
    host_name, port = context.endpoint_url.removeprefix("http://").split(":")
    state = context.state_dir / "emulator"
    return {name: host[name] for name in INHERITED if name in host} | {
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_DEFAULT_REGION": context.region,
        "AWS_ENDPOINT_URL": context.endpoint_url,
        "AWS_REGION": context.region,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
        "BIND_HOST": host_name,
        "GATEWAY_PORT": port,
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_WARM_TTL_SECONDS": "120",
        "MINISTACK_ACCOUNT_ID": context.account_id,
        "MINISTACK_REGION": context.region,
        "PERSIST_STATE": "1",
        "S3_DATA_DIR": str(state / "objects"),
        "S3_PERSIST": "1",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(state),
        "TMPDIR": str(state / "tmp"),
    }
