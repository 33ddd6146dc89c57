// Rules an op states about its node. Every broken rule names the node, the operand, what was expected and what was
// given.
#pragma once

#include <initializer_list>

#include "op.h"

namespace heddle {

using Dims = std::vector<std::uint32_t>;

class Check {
 public:
  Check(const Node& node, qnn::Error code) : node_(node), code_(code) {}

  const Node& node() const { return node_; }
  const TensorInfo& input(std::size_t i) const { return node_.input(i); }
  const TensorInfo& output(std::size_t i = 0) const { return node_.output(i); }

  [[noreturn]] void refuse(const std::string& why) const;
  /// Refuses naming an operand.
  [[noreturn]] void refuse(const TensorInfo& operand, const std::string& why) const;
  void require(bool holds, const std::string& why) const {
    if (!holds) refuse(why);
  }

  void type(const TensorInfo& operand, std::initializer_list<qnn::DataType> allowed) const;
  void rank(const TensorInfo& operand, std::size_t expected) const;
  void minimumRank(const TensorInfo& operand, std::size_t least) const;
  void dims(const TensorInfo& operand, const Dims& expected) const;
  /// The operand's shape must equal the numpy broadcast of the given inputs.
  void broadcast(const TensorInfo& output, std::initializer_list<const TensorInfo*> inputs) const;

  /// Checked axes: each below `rank`, none repeated.
  Dims axes(const char* param, std::size_t rank) const;

 private:
  const Node& node_;
  qnn::Error code_;
};

}  // namespace heddle
