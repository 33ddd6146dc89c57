"""Expected values of GGUF block formats, by the Python package gguf: writes test/golden/gguf/blocks.json.

Two blocks of every format with random bytes (scales finite), as base64, and the floats that they stand for, as base64 of f32.
With a GGUF file as argument, also the SHA-256 of the floats of some of its tensors: test/golden/gguf/gemma-3-270m.json.
    pip install gguf && python scripts/golden_gguf.py [.gemma/gemma-3-270m-q4_k_m.gguf]
"""
import base64
import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader, dequantize

OUT = Path(__file__).parent.parent / "test/golden/gguf"
# Byte positions of a block's f16 scales, which must not come out as NaN or infinity.
SCALES = {"Q8_0": [0], "Q4_0": [0], "Q5_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def b64(a):
    return base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()


def blocks(rng, name):
    _, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    raw = rng.integers(0, 256, size=(2, size), dtype=np.uint8)
    for at in SCALES[name]:
        raw[:, at : at + 2] = rng.normal(0, 0.1, 2).astype("<f2").view(np.uint8).reshape(2, 2)
    values = dequantize(raw, GGMLQuantizationType[name]).astype("<f4")
    return {"bytes": b64(raw), "values": b64(values)}


def sums(path):
    wanted = ["token_embd.weight", "output_norm.weight"]
    wanted += [f"blk.{i}.{t}.weight" for i in (0, 2, 17) for t in ("attn_v", "attn_q", "attn_output", "ffn_down", "attn_norm")]
    tensors = [t for t in GGUFReader(path).tensors if t.name in wanted]
    hashes = {}
    for t in tensors:
        values = dequantize(t.data, t.tensor_type).astype("<f4")
        hashes[t.name] = {"type": t.tensor_type.name, "shape": [int(d) for d in reversed(t.shape)],
                          "sha256": hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()}
    return hashes


def write(name, content):
    (OUT / name).write_text(json.dumps({"source": f"gguf {version('gguf')}", **content}, indent=1) + "\n")


rng = np.random.default_rng(7)
write("blocks.json", {"formats": {name: blocks(rng, name) for name in SCALES}})
if len(sys.argv) > 1:
    write("gemma-3-270m.json", {"tensors": sums(sys.argv[1])})
