"""Write test/golden/hf/{tiny,fixture,124m,gemma3-*}.json: what Hugging Face transformers computes, for the tests to agree with.

    pip install -r scripts/requirements-goldens.txt
    python scripts/make_goldens.py                 # all, or name some: python scripts/make_goldens.py tiny 124m

Everything runs in f32 on the CPU with eager attention. `fixture` is test/fixtures/gpt2-bible, its f16 weights taken up to f32
exactly; all others have seeded weights (below). The sizes of Gemma 3 are in golden_gemma3.py.

Seeded numbers
    hash(i, name)  fmix32 of murmur3 applied to (i * 0x9E3779B9 + fnv1a32("<seed>:<name>")) mod 2^32
    weight i       of tensor `name` (Hugging Face name without the `transformer.` prefix, flat index in the checkpoint layout, so
                   Conv1D is [in, out]): f32(center + (2u - 1) * halfWidth), u = (hash >>> 8) / 2^24, computed in f64.
                   (center, halfWidth) is in RANGES.
    prompt id i    of the prompt named `prompt.<length>`: hash(i, "prompt.<length>") mod vocabulary

Format (numbers rounded to 8 significant digits)
    { "header":    { "generator", "model", "transformers", "torch", "numpy", "seed", "attention", "dtype" },
      "config":    { "vocab", "layers", "width", "heads", "positions", "epsilon" }   (Gemma 3: "kvHeads" and "headDim" too),
      "checkpoint"?: config.json                          (Gemma 3 only),
      "weights":   [ { "name", "shape", "first": [4 numbers], "sum": f64 sum (12 digits), "sha256": of the little-endian f32 bytes } ],
      "vocabulary": [64 ids, evenly spread: the columns of every `logits`],
      "forward":   [ { "prompt": "prompt.<length>" or the text, "ids": [...],
                       "positions": [ { "position", "logits": [64], "top": [[id, logit] * 5, best first],
                                        "maxAbs": largest |logit|, "logSumExp" } ] } ],
      "greedy":    [ { "prompt", "ids", "tokens": [64 ids], "gaps": [64 numbers], "minGap", "distinct", "text"? } ],
      "perplexity"?: { "file", "nats", "tokens" }          (fixture only) }

`forward[].positions` has the last position of the prompt, and for longer prompts also the first and the middle one.

`greedy` was made with a cache and confirmed without one. `gaps[n]` is the best minus the second-best logit where token n was
chosen: a step whose gap is below the tolerance of a test is a near tie and may differ. Greedy decoding ignores end-of-text.
`distinct` counts the different ids among the 64: with random weights greedy text soon repeats itself (`tiny` settles on one token,
`124m` keeps about 30 in play).

`perplexity` scores every line of the held-out file by itself behind one `<|endoftext|>`: `nats` is the total over `tokens` scored
tokens (perplexity = exp(nats / tokens)).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast, PreTrainedModel

import golden_gemma3

ROOT = Path(__file__).resolve().parent.parent
FIXTURE = ROOT / "test/fixtures/gpt2-bible"
OUT = ROOT / "test/golden/hf"
MASK = 0xFFFFFFFF
GREEDY = 64
LENGTHS = [1, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 1024]

SIZES = {
    "tiny": dict(vocab_size=256, n_layer=2, n_embd=64, n_head=2, n_positions=128),
    "124m": dict(vocab_size=50257, n_layer=12, n_embd=768, n_head=12, n_positions=1024),
}
#: Lengths of the prompts that are continued greedily: some end on, and some run over, a block of 64 or a context bucket.
GREEDY_LENGTHS = {"tiny": [13, 24, 61, 64], "124m": [1, 65, 250], "fixture": [129, 250, 500], "gemma3-tiny": [13, 61, 150],
                  "gemma3-mqa": [5, 200], "gemma3-wide": [9, 64]}
TEXTS = [
    "In the beginning",
    "And it came to pass in those days, that the king sent messengers unto all the cities of Judah, saying,",
]
#: (center, halfWidth) of the uniform distribution, by the end of the name; the first match counts.
RANGES = [
    (r"ln_(1|2|f)\.weight$", 1.0, 0.1),
    (r"\.bias$", 0.0, 0.05),
    (r"wte\.weight$", 0.0, 0.06),
    (r"wpe\.weight$", 0.0, 0.03),
    (r"(c_attn|c_fc)\.weight$", 0.0, 0.07),
    (r"c_proj\.weight$", 0.0, 0.04),
    (r"norm\.weight$", 0.0, 0.1),
    (r"embed_tokens\.weight$", 0.0, 0.06),
    (r"\.(q|k|v|gate|up)_proj\.weight$", 0.0, 0.07),
    (r"\.(o|down)_proj\.weight$", 0.0, 0.04),
]
#: Tensors whose values and checksum are recorded.
CHECKED = ["wte.weight", "wpe.weight", "h.0.ln_1.weight", "h.0.attn.c_attn.weight", "h.1.attn.c_proj.bias", "h.1.mlp.c_proj.weight",
           "ln_f.bias"]
CHECKED_GEMMA3 = ["model.embed_tokens.weight", "model.layers.0.input_layernorm.weight", "model.layers.0.self_attn.q_proj.weight",
                  "model.layers.1.self_attn.k_norm.weight", "model.layers.1.mlp.down_proj.weight", "model.norm.weight"]


def fnv1a32(text: str) -> int:
    """FNV-1a, 32 bits, over UTF-8."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & MASK
    return value


def hashes(name: str, count: int, seed: int) -> np.ndarray:
    """hash(0..count-1, name) as u32; numpy's u32 products wrap, which is the mod 2^32."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(fnv1a32(f"{seed}:{name}"))
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return x


def seeded(name: str, shape: torch.Size, seed: int) -> torch.Tensor:
    """The seeded f32 tensor `name`. Raises ValueError for a name that no rule covers."""
    for pattern, center, half_width in RANGES:
        if re.search(pattern, name):
            u = (hashes(name, math.prod(shape), seed) >> np.uint32(8)).astype(np.float64) / 2.0**24
            return torch.from_numpy((center + (2 * u - 1) * half_width).astype(np.float32)).reshape(shape)
    raise ValueError(f"no seeded range for tensor {name!r}")


def load(model: str, seed: int) -> PreTrainedModel:
    """The model in f32, eager attention, ready to evaluate."""
    if model in golden_gemma3.SIZES:
        return golden_gemma3.load(model, lambda name, shape: seeded(name, shape, seed))
    if model == "fixture":
        return GPT2LMHeadModel.from_pretrained(FIXTURE, torch_dtype=torch.float32, attn_implementation="eager").eval()
    config = GPT2Config(**SIZES[model], layer_norm_epsilon=1e-5, activation_function="gelu_new", bos_token_id=0, eos_token_id=0,
                        attn_implementation="eager")
    with torch.device("meta"):
        net = GPT2LMHeadModel(config)
    tensors = {name: seeded(name.removeprefix("transformer."), tensor.shape, seed)
               for name, tensor in net.state_dict().items() if name != "lm_head.weight"}
    net = net.to_empty(device="cpu").eval()
    net.tie_weights()
    net.load_state_dict(tensors, strict=False)
    for name, buffer in net.named_buffers():  # to_empty left the causal mask unset
        if name.endswith("attn.bias"):
            buffer.copy_(torch.tril(torch.ones_like(buffer)))
        elif name.endswith("masked_bias"):
            buffer.fill_(-1e4)
    return net


def digits(value: float, count: int = 8) -> float:
    return float(f"{value:.{count}g}")


def describe(logits: torch.Tensor, position: int, vocabulary: list[int]) -> dict:
    """The golden of one position: sampled logits, the five best, and two figures that depend on every logit."""
    best = torch.topk(logits, 5)
    return {
        "position": position,
        "logits": [digits(x) for x in logits[vocabulary].tolist()],
        "top": [[i, digits(x)] for i, x in zip(best.indices.tolist(), best.values.tolist())],
        "maxAbs": digits(logits.abs().max().item()),
        "logSumExp": digits(torch.logsumexp(logits.double(), 0).item()),
    }


def forward(net: PreTrainedModel, prompt: str, ids: list[int], vocabulary: list[int]) -> dict:
    logits = net(torch.tensor([ids])).logits[0]
    places = sorted({0, len(ids) // 2, len(ids) - 1})
    return {"prompt": prompt, "ids": ids, "positions": [describe(logits[p], p, vocabulary) for p in places]}


def greedy(net: PreTrainedModel, prompt: str, ids: list[int]) -> dict:
    """64 greedy tokens with a cache; one pass over prompt and tokens without a cache must choose the same."""
    tokens: list[int] = []
    step, cache = torch.tensor([ids]), None
    for _ in range(GREEDY):
        out = net(step, past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        tokens.append(int(out.logits[0, -1].argmax()))
        step = torch.tensor([[tokens[-1]]])
    logits = net(torch.tensor([ids + tokens[:-1]])).logits[0, len(ids) - 1 :]
    best = torch.topk(logits, 2)
    gaps = (best.values[:, 0] - best.values[:, 1]).tolist()
    if best.indices[:, 0].tolist() != tokens:
        raise RuntimeError(f"greedy tokens of {prompt!r} differ between cache and no cache (smallest gap {min(gaps):.2g}): "
                           "a near tie; choose another prompt")
    return {"prompt": prompt, "ids": ids, "tokens": tokens, "gaps": [digits(gap) for gap in gaps], "minGap": digits(min(gaps)),
            "distinct": len(set(tokens))}


def perplexity(net: GPT2LMHeadModel, tokenizer: GPT2TokenizerFast) -> dict:
    nats, count = 0.0, 0
    for line in (FIXTURE / "heldout.txt").read_text().splitlines():
        ids = torch.tensor([tokenizer.eos_token_id, *tokenizer(line).input_ids])
        nats += torch.nn.functional.cross_entropy(net(ids[None, :-1]).logits[0].double(), ids[1:], reduction="sum").item()
        count += len(ids) - 1
    return {"file": "heldout.txt", "nats": digits(nats), "tokens": count}


def sizes(net: PreTrainedModel) -> dict:
    """The configuration in the words of the compiler."""
    config = net.config
    shared = {"vocab": config.vocab_size, "layers": config.num_hidden_layers, "width": config.hidden_size,
              "heads": config.num_attention_heads, "positions": config.max_position_embeddings}
    if isinstance(config, GPT2Config):
        return {**shared, "epsilon": config.layer_norm_epsilon}
    return {**shared, "kvHeads": config.num_key_value_heads, "headDim": config.head_dim, "epsilon": config.rms_norm_eps}


@torch.no_grad()
def goldens(model: str, seed: int) -> dict:
    net = load(model, seed)
    config = net.config
    vocabulary = sorted({round(i * (config.vocab_size - 1) / 63) for i in range(64)})

    def prompt(length: int) -> tuple[str, list[int]]:
        return f"prompt.{length}", (hashes(f"prompt.{length}", length, seed) % np.uint32(config.vocab_size)).tolist()

    lengths = [length for length in LENGTHS if length <= config.max_position_embeddings]
    prompts = [prompt(length) for length in lengths]
    continued = [prompt(length) for length in GREEDY_LENGTHS[model]]
    result = {
        "header": {"generator": "python scripts/make_goldens.py", "model": model, "transformers": transformers.__version__,
                   "torch": torch.__version__.split("+")[0], "numpy": np.__version__, "seed": seed, "attention": "eager", "dtype": "f32"},
        "config": sizes(net),
        **({"checkpoint": golden_gemma3.SIZES[model]} if model in golden_gemma3.SIZES else {}),
        "weights": [], "vocabulary": vocabulary,
    }
    state = net.state_dict()
    gemma3 = model in golden_gemma3.SIZES
    for name in CHECKED_GEMMA3 if gemma3 else CHECKED:
        tensor = state[name if gemma3 else f"transformer.{name}"]
        flat = tensor.numpy().ravel()
        result["weights"].append({
            "name": name, "shape": list(tensor.shape), "first": [digits(x, 9) for x in flat[:4].tolist()],
            "sum": digits(float(flat.astype(np.float64).sum()), 12), "sha256": hashlib.sha256(flat.astype("<f4").tobytes()).hexdigest()})
    tokenizer = GPT2TokenizerFast.from_pretrained(FIXTURE) if model == "fixture" else None
    if tokenizer:
        texts = [(text, tokenizer(text).input_ids) for text in TEXTS]
        prompts, continued = prompts + texts, texts + continued
    result["forward"] = [forward(net, name, ids, vocabulary) for name, ids in prompts]
    result["greedy"] = [greedy(net, name, ids) for name, ids in continued]
    if tokenizer:
        for row in result["greedy"]:
            row["text"] = tokenizer.decode(row["tokens"])
        result["perplexity"] = perplexity(net, tokenizer)
    return result


def layout(value: object, depth: int = 0) -> str:
    """JSON with one row per list of scalars, so that a diff of goldens is readable and the files stay small."""
    scalar = lambda v: not isinstance(v, (dict, list))
    if scalar(value) or not value:
        return json.dumps(value, ensure_ascii=False)
    items = value if isinstance(value, list) else value.values()
    if all(scalar(v) or (isinstance(v, list) and len(v) <= 4 and all(map(scalar, v))) for v in items):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":") if isinstance(value, list) else (", ", ": "))
    pad, end = "  " * (depth + 1), "  " * depth
    rows = [layout(v, depth + 1) for v in value] if isinstance(value, list) else [
        f"{json.dumps(k)}: {layout(v, depth + 1)}" for k, v in value.items()]
    brackets = "[]" if isinstance(value, list) else "{}"
    return brackets[0] + "\n" + ",\n".join(pad + row for row in rows) + "\n" + end + brackets[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="model", help=f"{', '.join(GREEDY_LENGTHS)} (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights and prompts (default %(default)s)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write to")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")
    args = parser.parse_args()
    unknown = sorted(set(args.models) - set(GREEDY_LENGTHS))
    if unknown:
        parser.error(f"unknown model {unknown[0]!r}; expected one of {', '.join(GREEDY_LENGTHS)}")
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    for model in args.models or list(GREEDY_LENGTHS):
        result = goldens(model, args.seed)
        file = args.out / f"{model}.json"
        file.write_text(layout(result) + "\n")
        for row in result["greedy"]:
            print(f"{model} greedy {row['prompt']!r}: {row['distinct']} distinct tokens, smallest gap {row['minGap']:.3g}")
        print(f"wrote {file} ({file.stat().st_size:,} bytes)", flush=True)


if __name__ == "__main__":
    main()
