#include "log.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "failure.h"

namespace heddle {

namespace {

constexpr std::size_t kSlots = 32;

struct Slot {
  std::mutex mutex;
  std::shared_ptr<LogBuffer> buffer;
};

// Never destroyed: a backend's thread may still log while the process exits.
std::array<Slot, kSlots>& slots() {
  static auto& all = *new std::array<Slot, kSlots>();
  return all;
}

std::string format(const char* pattern, va_list args) {
  va_list again;
  va_copy(again, args);
  const int length = std::vsnprintf(nullptr, 0, pattern, args);
  std::string text(length > 0 ? static_cast<std::size_t>(length) : 0, '\0');
  if (length > 0) std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

template <std::size_t Index>
void receive(const char* pattern, qnn::LogLevel level, std::uint64_t, va_list args) {
  if (!pattern) return;
  try {
    std::shared_ptr<LogBuffer> buffer;
    {
      const std::lock_guard lock(slots()[Index].mutex);
      buffer = slots()[Index].buffer;
    }
    if (buffer) buffer->write(level, format(pattern, args));
  } catch (...) {
    // A lost line must not unwind through the vendor's C code.
  }
}

template <std::size_t... Index>
constexpr std::array<qnn::LogCallback, kSlots> makeCallbacks(std::index_sequence<Index...>) {
  return {&receive<Index>...};
}

constexpr auto kCallbacks = makeCallbacks(std::make_index_sequence<kSlots>());

}  // namespace

void LogBuffer::write(qnn::LogLevel level, std::string text) {
  const std::lock_guard lock(mutex_);
  if (lines_.size() == kCapacity) lines_.pop_front();
  lines_.push_back({next_++, level, std::move(text)});
}

std::vector<LogLine> LogBuffer::take() {
  const std::lock_guard lock(mutex_);
  std::vector<LogLine> taken(std::make_move_iterator(lines_.begin()), std::make_move_iterator(lines_.end()));
  lines_.clear();
  return taken;
}

std::uint64_t LogBuffer::mark() const {
  const std::lock_guard lock(mutex_);
  return next_;
}

std::vector<std::string> LogBuffer::since(std::uint64_t mark) const {
  constexpr std::size_t kMost = 12;
  const std::lock_guard lock(mutex_);
  std::vector<const LogLine*> chosen;
  for (const LogLine& line : lines_) {
    if (line.sequence >= mark && (chosen.empty() || chosen.back()->text != line.text)) chosen.push_back(&line);
  }
  // The most serious lines, of these the latest, in the order they were written.
  std::ranges::sort(chosen, [](const LogLine* a, const LogLine* b) {
    return a->level != b->level ? a->level < b->level : a->sequence > b->sequence;
  });
  chosen.resize(std::min(chosen.size(), kMost));
  std::ranges::sort(chosen, {}, &LogLine::sequence);
  std::vector<std::string> result;
  for (const LogLine* line : chosen) result.push_back(line->text);
  return result;
}

LogSink::LogSink() {
  for (slot_ = 0; slot_ < kSlots; ++slot_) {
    const std::lock_guard lock(slots()[slot_].mutex);
    if (slots()[slot_].buffer) continue;
    slots()[slot_].buffer = buffer_;
    return;
  }
  throw LibraryError(std::to_string(kSlots) + " backends are open in this process; close one before loading another");
}

LogSink::~LogSink() {
  const std::lock_guard lock(slots()[slot_].mutex);
  slots()[slot_].buffer.reset();
}

qnn::LogCallback LogSink::callback() const { return kCallbacks[slot_]; }

}  // namespace heddle
