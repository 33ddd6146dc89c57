// The nodes and the interface of a graph description; names become indices of tensors.
#include <unordered_map>
#include <unordered_set>

#include "data_type.h"
#include "description.h"

namespace heddle {

namespace {

constexpr const char* kFormat = "heddle.qnn/1";

using Names = std::unordered_map<std::string, std::size_t>;

std::size_t resolve(const Field& field, const Names& names) {
  const auto found = names.find(field.nonEmptyText());
  if (found == names.end()) throw BadInput(field.path() + ": there is no tensor named '" + field.text() + "'");
  return found->second;
}

std::vector<std::size_t> resolveAll(const Field& field, const Names& names) {
  std::vector<std::size_t> indices;
  for (const Field& name : field.elements()) indices.push_back(resolve(name, names));
  return indices;
}

qnn::Scalar parseScalar(const Field& field) {
  const Field value = field["value"];
  const DataTypeInfo* info = findDataType(field["dataType"].text());
  if (!info) field["dataType"].refuse("a QNN data type");
  qnn::Scalar scalar;
  scalar.dataType = info->type;
  switch (info->type) {
    case qnn::DataType::FLOAT_32: scalar.f32 = static_cast<float>(value.number()); break;
    case qnn::DataType::FLOAT_64: scalar.f64 = value.number(); break;
    case qnn::DataType::INT_32: scalar.i32 = value.i32(); break;
    case qnn::DataType::UINT_32: scalar.u32 = value.u32(); break;
    case qnn::DataType::INT_16: scalar.i16 = static_cast<std::int16_t>(value.integer(-32768, 32767)); break;
    case qnn::DataType::UINT_16: scalar.u16 = static_cast<std::uint16_t>(value.integer(0, 65535)); break;
    case qnn::DataType::INT_8: scalar.i8 = static_cast<std::int8_t>(value.integer(-128, 127)); break;
    case qnn::DataType::UINT_8: scalar.u8 = static_cast<std::uint8_t>(value.integer(0, 255)); break;
    case qnn::DataType::BOOL_8:
      scalar.bool8 = value.value().IsBoolean() ? value.boolean() : value.integer(0, 1) != 0;
      break;
    default: field["dataType"].refuse("FLOAT_32, FLOAT_64, BOOL_8 or an integer of at most 32 bits");
  }
  return scalar;
}

ParamDescription parseParam(const Field& json, const Names& names, const std::vector<TensorDescription>& tensors) {
  ParamDescription param{json["name"].nonEmptyText(), qnn::Scalar{}};
  const Field scalar = json["scalar"], tensor = json["tensor"];
  if (scalar.present() == tensor.present()) throw BadInput(json.path() + ": a parameter needs either scalar or tensor");
  if (scalar.present()) {
    param.value = parseScalar(scalar);
  } else {
    const std::size_t index = resolve(tensor, names);
    if (tensors[index].type != qnn::TensorType::STATIC) tensor.refuse("the name of a STATIC tensor");
    param.value = index;
  }
  return param;
}

NodeDescription parseNode(const Field& json, const Names& names, const std::vector<TensorDescription>& tensors) {
  NodeDescription node;
  node.name = json["name"].nonEmptyText();
  const Field named(json.value(), json.path() + " ('" + node.name + "')");
  node.package = named["package"].nonEmptyText();
  node.type = named["type"].nonEmptyText();
  if (named["loc"].present()) node.location = named["loc"].text();
  for (const Field& param : named["params"].elements()) node.params.push_back(parseParam(param, names, tensors));
  node.inputs = resolveAll(named["inputs"], names);
  node.outputs = resolveAll(named["outputs"], names);
  for (const std::size_t output : node.outputs) {
    if (tensors[output].type == qnn::TensorType::STATIC || tensors[output].type == qnn::TensorType::APP_WRITE) {
      throw BadInput(named.path() + ": writes to tensor '" + tensors[output].name + "', which is a constant or an input");
    }
  }
  return node;
}

/// The interface must name tensors of a kind that the application may touch, each once.
void checkInterface(const Field& field, const std::vector<std::size_t>& indices, const GraphDescription& graph,
                    qnn::TensorType kind, const char* kindName) {
  std::unordered_set<std::size_t> seen;
  for (const std::size_t index : indices) {
    const TensorDescription& tensor = graph.tensors[index];
    if (tensor.type != kind && tensor.type != qnn::TensorType::APP_READWRITE) {
      throw BadInput(field.path() + ": tensor '" + tensor.name + "' is neither " + kindName + " nor APP_READWRITE");
    }
    if (!seen.insert(index).second) throw BadInput(field.path() + ": tensor '" + tensor.name + "' is listed twice");
  }
}

/// Whatever the application must provide memory for has to be in the interface.
void checkCovered(const GraphDescription& graph) {
  std::unordered_set<std::size_t> listed(graph.inputs.begin(), graph.inputs.end());
  listed.insert(graph.outputs.begin(), graph.outputs.end());
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
    const TensorDescription& tensor = graph.tensors[i];
    const bool outer = tensor.type == qnn::TensorType::APP_WRITE || tensor.type == qnn::TensorType::APP_READ ||
                       tensor.type == qnn::TensorType::APP_READWRITE;
    if (outer && !listed.contains(i)) {
      throw BadInput("tensor '" + tensor.name + "' belongs to the application but is neither in inputs nor in outputs");
    }
  }
}

}  // namespace

GraphDescription parseDescription(const Field& json, std::span<const std::byte> weights) {
  if (!json.value().IsObject()) json.refuse("a parsed .qnn.json");
  if (!json["format"].present() || json["format"].text() != kFormat) {
    json["format"].refuse(std::string("\"") + kFormat + "\"");
  }
  GraphDescription graph;
  graph.name = json["graph"].nonEmptyText();

  Names names;
  for (const Field& field : json["tensors"].elements()) {
    graph.tensors.push_back(parseTensor(field, weights));
    const TensorDescription& tensor = graph.tensors.back();
    if (!names.emplace(tensor.name, graph.tensors.size() - 1).second) {
      throw BadInput(field.path() + ": there are two tensors named '" + tensor.name + "'");
    }
  }
  std::unordered_set<std::string> nodeNames;
  for (const Field& field : json["nodes"].elements()) {
    graph.nodes.push_back(parseNode(field, names, graph.tensors));
    if (!nodeNames.insert(graph.nodes.back().name).second) {
      throw BadInput(field.path() + ": there are two nodes named '" + graph.nodes.back().name + "'");
    }
  }
  if (graph.nodes.empty()) throw BadInput("nodes: graph '" + graph.name + "' has none");
  graph.inputs = resolveAll(json["inputs"], names);
  graph.outputs = resolveAll(json["outputs"], names);
  checkInterface(json["inputs"], graph.inputs, graph, qnn::TensorType::APP_WRITE, "APP_WRITE");
  checkInterface(json["outputs"], graph.outputs, graph, qnn::TensorType::APP_READ, "APP_READ");
  checkCovered(graph);
  return graph;
}

}  // namespace heddle
