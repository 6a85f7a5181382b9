#pragma once

#include <cstdint>
#include <functional>

namespace sim {

/// So many numbered runs, shared out among processes.
struct Batch {
  std::uint64_t first = 1;
  std::uint64_t count = 0;
  unsigned jobs = 1;
  /// Does one of them; true when all was well. It runs in a process of its own: an assertion in
  /// the engine ends that process only, and the next one goes on behind the number that did it.
  std::function<bool(std::uint64_t number)> work = nullptr;
  /// What went wrong when a process ended.
  std::function<void(std::uint64_t number, int status)> on_death = nullptr;
};

/// Returns how many failed.
std::uint64_t run_batch(const Batch& batch);

/// Memory that the processes of a batch share with the one that started them; zeroes.
void* shared_memory(std::size_t size);

}  // namespace sim
