"""Train the GPT-2 fixture: a small language model of the King James Version.

The text comes from Debian (`apt-get install bible-kjv bible-kjv-text`). Verse references are stripped and every chapter
becomes one document of running prose, so the model continues a prompt the way its source reads. One chapter in twenty is
held out, spread evenly over all books, and is seen by neither the tokenizer nor the model.

What is written to `--out` loads with `transformers.AutoModelForCausalLM.from_pretrained`: config.json,
generation_config.json, model.safetensors (f16, the tied head is not stored), tokenizer.json, tokenizer_config.json,
heldout.txt (held-out chapters, one per line) and README.md (this command, the data, the measured perplexity).

    pip install -r scripts/requirements-train.txt
    python scripts/train_fixture.py

A checkpoint is kept in `--work`; the same command picks up where it stopped. `--export` saves the last checkpoint as it is.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator

import torch
import torch.nn.functional as F
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast

ROOT = Path(__file__).resolve().parent.parent
EOS = "<|endoftext|>"
SHORT, LONG = 256, 1024  # training window of most steps, and of the last ones (= n_positions)
PROMPT = "And it came to pass in those days, that"


def read_chapters(text_file: Path | None) -> list[str]:
    """Every chapter as one line of prose, in order. Raises SystemExit if the text is not installed."""
    if text_file:
        dump = text_file.read_text()
    else:
        try:
            dump = subprocess.run(["bible", "-f", "Gen1:1-Rev22:21"], check=True, capture_output=True, text=True).stdout
        except FileNotFoundError:
            sys.exit("train_fixture: no `bible` command. Install it: apt-get install bible-kjv bible-kjv-text")
    chapters: dict[str, list[str]] = {}
    for line in dump.splitlines():
        match = re.match(r"(\d?[A-Za-z]+\d+):\d+ (.*)", line)
        if not match:
            sys.exit(f"train_fixture: expected lines like 'Ge1:1 In the beginning ...', got {line!r}")
        chapters.setdefault(match[1], []).append(" ".join(match[2].split()))
    return [" ".join(verses) for verses in chapters.values()]


def split(chapters: list[str]) -> tuple[list[str], list[str]]:
    """(train, held out): one chapter in twenty is held out."""
    held = [chapter for i, chapter in enumerate(chapters) if i % 20 == 10]
    return [chapter for i, chapter in enumerate(chapters) if i % 20 != 10], held


def excerpt(held: list[str], limit: int = 12_000) -> list[str]:
    """Held-out chapters of middling length from all over the book, about `limit` bytes together."""
    middling = [chapter for chapter in held if 1_500 <= len(chapter) <= 3_000]
    count = max(1, limit * len(middling) // sum(map(len, middling)))
    return [middling[i * len(middling) // count] for i in range(count)]


def train_tokenizer(chapters: list[str], vocab: int) -> GPT2TokenizerFast:
    """Byte-level BPE as GPT-2 has it: same pre-tokenizer, every byte in the alphabet, `<|endoftext|>` is id 0."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.train_from_iterator(chapters, trainers.BpeTrainer(
        vocab_size=vocab, special_tokens=[EOS], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return GPT2TokenizerFast(tokenizer_object=tokenizer, bos_token=EOS, eos_token=EOS, unk_token=EOS, model_max_length=LONG)


def stream(tokenizer: GPT2TokenizerFast, chapters: list[str]) -> torch.Tensor:
    """All chapters as one row of ids, each one preceded by end-of-text, with a last end-of-text behind."""
    ids = tokenizer.backend_tokenizer.encode_batch(chapters)
    return torch.tensor([id for chapter in ids for id in [0, *chapter.ids]] + [0])


def batches(ids: torch.Tensor, window: int, rows: int, rng: torch.Generator) -> Iterator[torch.Tensor]:
    """Endless [rows, window + 1] batches. Each epoch cuts the text at a new phase and shuffles the windows."""
    while True:
        phase = int(torch.randint(window, (1,), generator=rng))
        count = (len(ids) - 1 - phase) // window
        order = torch.randperm(count, generator=rng)
        for i in range(0, count - rows + 1, rows):
            starts = [phase + w * window for w in order[i : i + rows].tolist()]
            yield torch.stack([ids[start : start + window + 1] for start in starts])


def positions(window: int, rows: int, rng: torch.Generator) -> torch.Tensor:
    """Position ids [rows, window]. Half of the rows begin at a random offset, so that short windows train all of wpe."""
    shifted = torch.rand(rows, 1, generator=rng) < 0.5
    offset = torch.randint(LONG - window + 1, (rows, 1), generator=rng) * shifted
    return torch.arange(window) + offset


def decay_groups(model: torch.nn.Module) -> list[dict]:
    """Weight decay on matrices only; norms and biases are left alone."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    return [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]


@torch.no_grad()
def evaluate(model: GPT2LMHeadModel, ids: torch.Tensor, window: int) -> float:
    """Mean negative log-likelihood in nats per token over disjoint windows (each restarts with an empty context)."""
    model.eval()
    total = 0.0
    for start in range(0, len(ids) - 1, window):
        piece = ids[start : start + window + 1]
        total += F.cross_entropy(model(piece[None, :-1]).logits[0], piece[1:], reduction="sum").item()
    model.train()
    return total / (len(ids) - 1)


def train(args: argparse.Namespace, model: GPT2LMHeadModel, ids: torch.Tensor, held: torch.Tensor) -> int:
    """AdamW under one warm-up and a cosine to zero; the last fifth of the steps uses full-length windows. Returns steps done."""
    checkpoint = args.work / "checkpoint.pt"
    optimizer = torch.optim.AdamW(decay_groups(model), lr=args.lr, betas=(0.9, 0.98))
    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    if args.export:
        return first
    rng = torch.Generator().manual_seed(args.seed + first)
    torch.manual_seed(args.seed + first)
    window, source, running, began = 0, iter(()), 0.0, time.time()
    for step in range(first, args.steps):
        wanted = LONG if step >= args.steps * 4 // 5 else SHORT
        if wanted != window:
            window, rows = wanted, args.tokens // wanted
            source = batches(ids, window, rows, rng)
        warm = min(1.0, (step + 1) / 100)
        for group in optimizer.param_groups:
            group["lr"] = args.lr * warm * 0.5 * (1 + math.cos(math.pi * step / args.steps))
        batch = next(source)
        logits = model(batch[:, :-1], position_ids=positions(window, rows, rng)).logits
        loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        running = loss.item() if step == first else 0.98 * running + 0.02 * loss.item()
        if (step + 1) % 50 == 0:
            rate = (step + 1 - first) * args.tokens / (time.time() - began)
            print(f"step {step + 1}/{args.steps} loss {running:.3f} {rate:.0f} tokens/s", flush=True)
        if (step + 1) % args.every == 0 or step + 1 == args.steps:
            print(f"step {step + 1} held-out perplexity {math.exp(evaluate(model, held[:20_000], 512)):.2f}", flush=True)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").rename(checkpoint)
    return args.steps


def continuation(model: GPT2LMHeadModel, tokenizer: GPT2TokenizerFast, **how) -> str:
    """A 96-token continuation of PROMPT."""
    torch.manual_seed(0)
    ids = tokenizer(PROMPT, return_tensors="pt")
    return tokenizer.decode(model.generate(**ids, max_new_tokens=96, pad_token_id=0, **how)[0])


def export(args: argparse.Namespace, model: GPT2LMHeadModel, tokenizer: GPT2TokenizerFast, steps: int,
           train_text: list[str], held_text: list[str], ids: torch.Tensor, held: torch.Tensor) -> None:
    """Write the Hugging Face folder, then measure what was written and describe it in README.md (train_fixture.readme.md)."""
    args.out.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(args.out)
    (args.out / "model.safetensors").chmod(0o644)
    tokenizer.save_pretrained(args.out)
    for spare in ("special_tokens_map.json", "vocab.json", "merges.txt"):  # all of it is in tokenizer.json
        (args.out / spare).unlink(missing_ok=True)
    sample = excerpt(held_text)
    (args.out / "heldout.txt").write_text("\n".join(sample) + "\n")

    stored = GPT2LMHeadModel.from_pretrained(args.out, torch_dtype=torch.float32).eval()
    def size(texts: list[str]) -> int:
        return sum(len(text.encode()) for text in texts)

    rows = []
    for window in (256, 512, LONG):
        nats = evaluate(stored, held, window)
        rows.append(f"| {window:,} | {math.exp(nats):.2f} | {nats / math.log(2) * (len(held) - 1) / size(held_text):.3f} |")
    lines = [stream(tokenizer, [text])[:-1] for text in sample]
    excerpt_tokens = sum(len(line) - 1 for line in lines)
    excerpt_nats = sum(evaluate(stored, line, LONG) * (len(line) - 1) for line in lines)
    stored.eval()
    config = stored.config
    template = Path(__file__).with_suffix(".readme.md").read_text()
    facts = dict(
        parameters=sum(p.numel() for p in stored.parameters()), torch=torch.__version__.split("+")[0],
        command=f"python scripts/train_fixture.py {shlex.join(given(sys.argv[1:]))}".strip(), transformers=transformers.__version__,
        layers=config.n_layer, width=config.n_embd, heads=config.n_head, head_dim=config.n_embd // config.n_head,
        positions=config.n_positions, vocab=config.vocab_size, train_bytes=size(train_text), train_tokens=len(ids),
        epochs=steps * args.tokens / len(ids), steps=steps, batch=args.tokens, held_bytes=size(held_text), held_tokens=len(held),
        held_count=len(held_text), date=datetime.date.today(), machine=f"{os.cpu_count()}-core {platform.machine()} machine",
        quality="\n".join(rows), excerpt_count=len(sample), excerpt_bytes=size(sample), excerpt_tokens=excerpt_tokens,
        excerpt_ppl=math.exp(excerpt_nats / excerpt_tokens), prompt=PROMPT,
        greedy=continuation(stored, tokenizer, do_sample=False).removeprefix(PROMPT).strip(),
        sampled=continuation(stored, tokenizer, do_sample=True, temperature=0.8, top_k=40).removeprefix(PROMPT).strip())
    (args.out / "README.md").write_text(template.format(**facts))
    print((args.out / "README.md").read_text())


def given(argv: list[str]) -> list[str]:
    """The arguments that shape the result, without folders, threads and the like."""
    kept, skip = [], {"--out", "--work", "--threads", "--text", "--every"}
    for i, word in enumerate(argv):
        if word not in skip and word != "--export" and (i == 0 or argv[i - 1] not in skip):
            kept.append(word)
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "test/fixtures/gpt2-bible", help="folder to write the model to")
    parser.add_argument("--work", type=Path, default=ROOT / ".cache/gpt2-bible", help="folder of the checkpoint")
    parser.add_argument("--text", type=Path, help="output of `bible -f Gen1:1-Rev22:21`, where that command is not installed")
    parser.add_argument("--steps", type=int, default=4500, help="optimizer steps (default %(default)s)")
    parser.add_argument("--tokens", type=int, default=2048, help="tokens per step, a multiple of 1,024 (default %(default)s)")
    parser.add_argument("--lr", type=float, default=2e-3, help="peak learning rate (default %(default)s)")
    parser.add_argument("--vocab", type=int, default=4096, help="vocabulary (default %(default)s)")
    parser.add_argument("--layers", type=int, default=5, help="blocks (default %(default)s)")
    parser.add_argument("--width", type=int, default=192, help="hidden size (default %(default)s)")
    parser.add_argument("--heads", type=int, default=6, help="attention heads (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights, order and dropout (default %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")
    parser.add_argument("--every", type=int, default=250, help="steps between checkpoints (default %(default)s)")
    parser.add_argument("--export", action="store_true", help="train no further: save the last checkpoint as it is")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)

    train_text, held_text = split(read_chapters(args.text))
    tokenizer = train_tokenizer(train_text, args.vocab)
    ids, held = stream(tokenizer, train_text), stream(tokenizer, held_text)
    model = GPT2LMHeadModel(GPT2Config(
        vocab_size=len(tokenizer), n_positions=LONG, n_embd=args.width, n_layer=args.layers, n_head=args.heads, bos_token_id=0,
        eos_token_id=0, resid_pdrop=0.05, embd_pdrop=0.05, attn_pdrop=0.0, use_cache=True))
    print(f"{len(ids):,} training tokens, {sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    model.train()
    steps = train(args, model, ids, held)
    export(args, model, tokenizer, steps, train_text, held_text, ids, held)


if __name__ == "__main__":
    main()
