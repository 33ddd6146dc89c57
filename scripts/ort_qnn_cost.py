"""What an ONNX model costs on Snapdragon X Elite under ONNX Runtime's QNN provider, by Qualcomm's simulator.

usage: python scripts/ort_qnn_cost.py MODEL.onnx [--soc 52]

Needs `pip install -r scripts/requirements-ort-qnn.txt`. Prints one JSON object: seconds that the session took to build (measured), and
per run the simulated microseconds and bytes of DDR traffic. The model must have static shapes; float32 runs as float16. Nothing may
fall back to the CPU. SoC 52 has the architecture of X Elite (HTP v73, 8 MB VTCM) and, unlike it, a cost model.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from pathlib import Path

import onnxruntime as ort
import onnxruntime_qnn as qnn

# Names of events in the provider's profile: what they are called in our record.
EVENTS = {
    "Simulated (Accelerator exec time us)": "us",
    "Simulated (Accelerator exec cycles)": "cycles",
    "Input Fill": "read",
    "Output Spill": "written",
    "Intermediate Spill": "spilled",
    "Intermediate Fill": "filled",
}


def cost(model: Path, soc: int) -> dict[str, float]:
    ort.register_execution_provider_library("QNNExecutionProvider", qnn.get_library_path())
    device = [d for d in ort.get_ep_devices() if "QNN" in d.ep_name][:1]
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile.csv"
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        options.add_provider_for_devices(
            device,
            {
                "backend_path": qnn.get_qnn_htp_path(),
                "soc_model": str(soc),
                "vtcm_mb": "8",
                "htp_graph_finalization_optimization_mode": "3",
                "enable_htp_fp16_precision": "1",
                "profiling_level": "detailed",
                "profiling_file_path": str(profile),
                "offload_graph_io_quantization": "0",
            },
        )
        start = time.monotonic()
        ort.InferenceSession(str(model), options)
        figures: dict[str, float] = {"sessionSeconds": time.monotonic() - start}
        with profile.open() as lines:
            for row in csv.reader(lines):
                if row and row[-1].strip() in EVENTS:
                    figures[EVENTS[row[-1].strip()]] = int(row[2])
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--soc", type=int, default=52)
    given = parser.parse_args()
    print(json.dumps(cost(given.model, given.soc)))
