"""Serves a model as the framework images do: `serving.py PORT`, on loopback, until it is told to stop.

The program that SAGEMAKER_PROGRAM names in SAGEMAKER_SUBMIT_DIRECTORY defines `model_fn(model_dir)` and either
`transform_fn(model, body, content_type, accept)` or `input_fn(body, content_type)`, `predict_fn(data, model)` and
`output_fn(prediction, accept)`. `GET /ping` answers 200 once the model is loaded. Runs in the job's environment.
"""

import importlib.util
import os
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

TEXT_TYPES = ("text/csv", "text/plain", "application/json", "application/jsonlines")


class Served:
    """A loaded model with the program's functions around it."""

    def __init__(self, program: ModuleType, model_directory: Path) -> None:
        self._program = program
        self._model = program.model_fn(str(model_directory))

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """The response and its content type."""
        text_or_bytes = body.decode() if content_type in TEXT_TYPES else body
        result = self._transform(text_or_bytes, content_type, accept)
        content, result_type = result if isinstance(result, tuple) else (result, accept)
        return (content.encode() if isinstance(content, str) else bytes(content)), result_type

    def _transform(self, body: str | bytes, content_type: str, accept: str) -> Any:
        program = self._program
        if hasattr(program, "transform_fn"):
            return program.transform_fn(self._model, body, content_type, accept)
        prediction = program.predict_fn(program.input_fn(body, content_type), self._model)
        return program.output_fn(prediction, accept)


def load_program(directory: Path, name: str) -> ModuleType:
    """Import the program with its directory on the path, so that it finds its neighbours, and not this file's."""
    ours = Path(__file__).resolve().parent
    sys.path[:] = [str(directory), *(entry for entry in sys.path if Path(entry).resolve() != ours)]
    spec = importlib.util.spec_from_file_location(Path(name).stem, directory / name)
    if spec is None or spec.loader is None:
        raise ImportError(f"{directory / name} is not a Python file")
    program = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = program
    spec.loader.exec_module(program)
    return program


def handler_for(served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(200 if self.path == "/ping" else 404, b"", "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content_type = self.headers.get("Content-Type", "application/octet-stream")
            try:
                content, result_type = served.answer(body, content_type, self.headers.get("Accept", content_type))
                self._send(200, content, result_type)
            except Exception:  # whatever the program raises is the request's answer, not the server's end
                report = traceback.format_exc()
                print(report, file=sys.stderr)
                self._send(500, report.encode(), "text/plain")

        def _send(self, status: int, content: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Requests are not logged; what the program prints is."""

    return Handler


def main() -> None:
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    program = load_program(Path(os.environ["SAGEMAKER_SUBMIT_DIRECTORY"]), os.environ["SAGEMAKER_PROGRAM"])
    served = Served(program, base / "model")
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler_for(served)).serve_forever()


if __name__ == "__main__":
    main()
