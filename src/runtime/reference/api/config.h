// Reads the null-terminated lists of backend-specific configurations.
#pragma once

#include "../core/failure.h"

namespace heddle {

/// Calls take(option, value) for each entry; take returns false for an option it does not know. Throws Failure(error).
template <class Take>
void readConfigs(const qnn::Config** list, const char* what, qnn::Error error, const Take& take) {
  for (std::size_t i = 0; list != nullptr && list[i] != nullptr; ++i) {
    const qnn::Config& c = *list[i];
    if (c.option != qnn::kConfigCustom) {
      throw Failure(error, std::string(what) + " configuration option " + std::to_string(c.option) +
                               " is not supported; only custom configurations (option 0) are");
    }
    const auto* custom = static_cast<const qnn::CustomConfig*>(c.custom);
    if (custom == nullptr) throw Failure(error, std::string(what) + " configuration: custom configuration is null");
    if (!take(custom->option, custom->u32)) {
      throw Failure(error, std::string(what) + " custom configuration option " + std::to_string(custom->option) +
                               " with value " + std::to_string(custom->u32) +
                               " is not known to this backend or not available on this machine");
    }
  }
}

}  // namespace heddle
