// What the two attention ops share: heads x query blocks in parallel.
#pragma once

#include "op.h"

namespace heddle {

struct AttentionShape {
  std::size_t heads, groups, queries, headDim;
  std::size_t cached = 0;  ///< places of the cache, whose keys are transposed; 0: keys are no cache
  bool stepwise = false;   ///< of a cache: sums are those of one query after the other, however many there are
};

class AttentionPlan {
 public:
  AttentionPlan(const Node&, const AttentionShape&, Planner&);
  /// `tile` describes one head's operands but for its rows, block, scale and scratch; head strides follow in elements.
  struct Strides {
    std::size_t k, v;  ///< between groups
  };
  void run(const Execution&, const AttentionTile& tile, const Strides&) const;

 private:
  void runTiles(const Execution&, const AttentionTile&, const Strides&) const;
  void runSteps(const Execution&, const AttentionTile&, const Strides&) const;

  AttentionShape s_;
  std::size_t blockQ_, blockK_, window_;
  float scale_;
  std::size_t scratch_;
  bool step_;
  std::size_t perThread_;
};

constexpr ParamSpec kScaleParam = {"scale", qnn::DataType::FLOAT_32, false, true};
constexpr ParamSpec kWindowParam = {"window", qnn::DataType::UINT_32};
constexpr ParamSpec kBlockQParam = {"block_q", qnn::DataType::UINT_32};
constexpr ParamSpec kBlockKParam = {"block_k", qnn::DataType::UINT_32};

/// Checks q [H, T, D] and out against each other, and the block sizes; keys and values are floats, or both in fixed point.
void checkAttention(const class Check&, std::size_t groups, std::size_t headDim, bool fixed = false);

}  // namespace heddle
