// The exceptions of the addon. js_error.cpp turns each into the matching JavaScript exception at the boundary.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace heddle {

/// What a QNN call was about, for its error message. Empty fields are left out.
struct Where {
  std::string graph;
  std::string node;      ///< name of the node
  std::string op;        ///< its QNN op type
  std::string tensor;    ///< name of the tensor
  std::string location;  ///< file:line:column of the graph file
};

/// A QNN call that returned an error; becomes QnnError.
struct QnnFailure : std::runtime_error {
  QnnFailure(std::string name, std::uint32_t value) : std::runtime_error(name), call(std::move(name)), code(value) {}

  std::string call;     ///< "graphAddNode"
  std::uint32_t code;   ///< low 16 bits of the returned value
  std::string library;  ///< provider name of the backend
  std::string detail;   ///< the backend's own words for the code
  Where where;
  std::vector<std::string> log;  ///< lines the backend logged during the call
};

/// A library that cannot be loaded or does not fit; becomes QnnError with code 0.
struct LibraryError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A wrong argument; becomes TypeError.
struct BadInput : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// A call at the wrong time, such as on a closed context; becomes Error.
struct Misuse : std::logic_error {
  using std::logic_error::logic_error;
};

}  // namespace heddle
