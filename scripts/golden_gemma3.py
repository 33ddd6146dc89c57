"""Small Gemma 3 models for make_goldens.py: the sizes, as config.json would say them, and the model with seeded weights."""

from __future__ import annotations

from typing import Callable

import torch
from transformers import PreTrainedModel

SHARED = dict(model_type="gemma3_text", rms_norm_eps=1e-6, hidden_activation="gelu_pytorch_tanh", rope_theta=1000000.0,
              rope_local_base_freq=10000.0)
#: What each shows: `tiny` two groups of keys, scaled global positions, a window shorter than a sequence; `mqa` one group for all
#: heads and no scaling; `wide` heads of 256 and a group for each, in the words of transformers 5.
SIZES = {
    "gemma3-tiny": dict(SHARED, vocab_size=256, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
                        num_key_value_heads=2, head_dim=32, max_position_embeddings=255, sliding_window=24, sliding_window_pattern=3,
                        query_pre_attn_scalar=24, rope_scaling=dict(rope_type="linear", factor=8.0)),
    "gemma3-mqa": dict(SHARED, vocab_size=131, hidden_size=48, intermediate_size=40, num_hidden_layers=4, num_attention_heads=4,
                       num_key_value_heads=1, head_dim=16, max_position_embeddings=300, sliding_window=7, sliding_window_pattern=2,
                       query_pre_attn_scalar=16),
    "gemma3-wide": dict(SHARED, vocab_size=64, hidden_size=32, intermediate_size=72, num_hidden_layers=2, num_attention_heads=2,
                        num_key_value_heads=2, head_dim=256, max_position_embeddings=130, sliding_window=512,
                        layer_types=["sliding_attention", "full_attention"], sliding_window_pattern=2, query_pre_attn_scalar=256,
                        rope_parameters=dict(sliding_attention=dict(rope_type="default", rope_theta=10000.0),
                                             full_attention=dict(rope_type="linear", factor=4.0, rope_theta=1000000.0))),
}


def load(model: str, seeded: Callable[[str, torch.Size], torch.Tensor]) -> PreTrainedModel:
    """The model in f32, eager attention, ready to evaluate."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig  # since 4.50

    size = {k: v for k, v in SIZES[model].items() if k != "model_type"}
    net = Gemma3ForCausalLM(Gemma3TextConfig(**size, attn_implementation="eager", bos_token_id=0, eos_token_id=0)).float().eval()
    state = net.state_dict()
    net.load_state_dict({name: seeded(name, state[name].shape) for name in state if name != "lm_head.weight"}, strict=False)
    net.tie_weights()
    return net
