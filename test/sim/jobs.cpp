#include "test/sim/jobs.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace sim {

namespace {

/// What the processes of one run share.
struct Progress {
  std::uint64_t next = 0;  ///< The number that this process works on, from 0.
  std::uint64_t failed = 0;
};

pid_t start_job(const Batch& batch, Progress& progress) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child != 0) return child;
  for (; progress.next < batch.count; progress.next += batch.jobs)
    if (!batch.work(batch.first + progress.next)) ++progress.failed;
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace

void* shared_memory(std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("cannot share memory between jobs");
  return memory;
}

std::uint64_t run_batch(const Batch& batch) {
  const std::size_t size = sizeof(Progress) * batch.jobs;
  auto* progress = static_cast<Progress*>(shared_memory(size));
  std::vector<pid_t> children;
  for (unsigned job = 0; job < batch.jobs; ++job) {
    progress[job] = {job, 0};
    children.push_back(start_job(batch, progress[job]));
  }
  std::uint64_t failed = 0;
  for (unsigned job = 0; job < batch.jobs; ++job) {
    while (true) {
      int status = 0;
      waitpid(children[job], &status, 0);
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
      batch.on_death(batch.first + progress[job].next, status);
      ++progress[job].failed;
      progress[job].next += batch.jobs;
      children[job] = start_job(batch, progress[job]);
    }
    failed += progress[job].failed;
  }
  munmap(progress, size);
  return failed;
}

}  // namespace sim
