"""A pipeline as an ONNX graph: the same arithmetic as the trained one, without unpickling anything.

One implementation serves the export's parity gate, the check before deployment and the answers themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from millrace.analytics.serving import ReadRows, Signature
from millrace.errors import ServingRefused


class OnnxGraph:
    """`graph.scores(rows)`; one input of the graph per input of the signature, in its order."""

    def __init__(self, content: bytes, signature: Signature) -> None:
        """Raises ServingRefused when `content` is no graph that this runtime reads, or not one of `signature`."""
        # Imported here: whoever only reads rows does not pay for the runtime.
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # A function has one processor or two, and a single row is over before a thread has started.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's exceptions have no base of their own
            raise ServingRefused(f"the ONNX runtime does not read the graph: {error}") from error
        self._inputs = [each.name for each in self._session.get_inputs()]
        # Classifiers answer labels first and probabilities second, regressors numbers.
        self._output = self._session.get_outputs()[-1].name
        self._signature = signature
        if len(self._inputs) != len(signature.inputs):
            raise ServingRefused(f"the graph reads {len(self._inputs)} inputs, the model {len(signature.inputs)}")

    def scores(self, rows: ReadRows) -> npt.NDArray[np.float64]:
        """Probabilities (rows, classes), or numbers (rows,)."""
        kinds = [object if each.is_category else np.float32 for each in self._signature.inputs]
        feed: dict[str, Any] = {
            name: np.array(values, dtype=kind).reshape(-1, 1)
            for name, values, kind in zip(self._inputs, rows.columns, kinds, strict=True)
        }
        answer = np.asarray(self._session.run([self._output], feed)[0], dtype=np.float64)
        return answer if self._signature.classes else answer.reshape(-1)


def difference(found: npt.NDArray[np.float64], told: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How far scores are apart, per row: absolute for probabilities and numbers up to 1, relative beyond."""
    apart = np.abs(found - told) / np.maximum(1.0, np.abs(told))
    # A score that is not a number equals nothing.
    apart = np.where(np.isfinite(apart), apart, np.inf)
    worst: npt.NDArray[np.float64] = apart.max(axis=1) if apart.ndim > 1 else apart
    return worst
