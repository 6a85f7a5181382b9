#include "dataplane/dpdk/eal.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <mutex>
#include <sched.h>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_memory.h>

#include "dataplane/dpdk/host_facts.hpp"

namespace dataplane::dpdk {
namespace {

constexpr std::size_t kLogLinesKept = 6;

/// What DPDK logs, for messages. Written by EAL's control threads too.
class LogBook {
 public:
  void append(std::string_view text) {
    const std::scoped_lock lock(mutex_);
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      if (end > 0) lines_.emplace_back(text.substr(0, end));
      if (lines_.size() > kLogLinesKept) lines_.pop_front();
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  void clear() {
    const std::scoped_lock lock(mutex_);
    lines_.clear();
  }
  std::string joined() const {
    const std::scoped_lock lock(mutex_);
    return fmt::format("{}", fmt::join(lines_, "; "));
  }

 private:
  mutable std::mutex mutex_;
  std::deque<std::string> lines_;
};

/// DPDK has one log stream in a process, and EAL starts once in a process.
LogBook& log_book() {
  static LogBook book;
  return book;
}
std::atomic<bool>& started_before() {
  static std::atomic<bool> started = false;
  return started;
}

ssize_t write_log(void* /*cookie*/, const char* text, std::size_t length) {
  log_book().append({text, length});
  return static_cast<ssize_t>(length);
}

std::FILE* open_log_stream() {
  cookie_io_functions_t functions{};
  functions.write = write_log;
  std::FILE* stream = ::fopencookie(nullptr, "w", functions);
  if (stream != nullptr) ::setvbuf(stream, nullptr, _IOLBF, 512);
  return stream;
}

std::vector<std::string> arguments_of(const EalConfig& config) {
  std::vector<std::string> args = {"hawser", "--no-telemetry", "--file-prefix",
                                   fmt::format("hawser-{}", ::getpid())};
  // EAL counts its threads from 0; which CPU each runs on is said by the second number. Without
  // CPUs of its own, the one thread gets all of them back after the start.
  std::string lcores = config.cores.empty() ? "0@" + std::to_string(::sched_getcpu()) : "";
  for (std::size_t i = 0; i < config.cores.size(); ++i)
    lcores += fmt::format("{}{}@{}", i == 0 ? "" : ",", i, config.cores[i]);
  args.insert(args.end(), {"--lcores", lcores, "--main-lcore", "0"});
  args.insert(args.end(), {"-m", std::to_string(std::max<std::size_t>(config.memory >> 20, 1))});
  if (config.hugepages) {
    // Anonymous, so that no mount is needed and nothing is left after a kill; and in one file, as a
    // vhost peer maps our memory file by file and accepts eight of them.
    args.insert(args.end(), {"--in-memory", "--single-file-segments"});
  } else {
    args.insert(args.end(), {"--no-huge", "--no-shconf"});
  }
  if (config.pci_devices.empty()) {
    args.insert(args.end(), {"--no-pci", "--iova-mode=va"});
  } else {
    for (const std::string& device : config.pci_devices)
      args.insert(args.end(), {"-a", device});
  }
  return args;
}

/// EAL reports a failed start to stderr by itself, besides what it logs.
class QuietStderr {
 public:
  QuietStderr() : kept_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (kept_ >= 0 && nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
    if (nowhere >= 0) ::close(nowhere);
  }
  ~QuietStderr() {
    if (kept_ < 0) return;
    ::dup2(kept_, STDERR_FILENO);
    ::close(kept_);
  }
  QuietStderr(const QuietStderr&) = delete;
  QuietStderr& operator=(const QuietStderr&) = delete;

 private:
  int kept_;
};

int init_quietly(std::vector<std::string> args) {
  std::vector<char*> argv;
  argv.reserve(args.size() + 1);
  for (std::string& arg : args)
    argv.push_back(arg.data());
  argv.push_back(nullptr);
  const QuietStderr quiet;
  return rte_eal_init(static_cast<int>(args.size()), argv.data());
}

/// The last error-like words of EAL, or what errno says.
std::string reason_of(int error) {
  const std::string log = log_book().joined();
  return log.empty() ? std::string(rte_strerror(error)) : log;
}

OrMessage<void> check_hugepages(const EalConfig& config) {
  if (!config.hugepages) return {};
  const HugepageFacts facts = hugepage_facts();
  const std::size_t free_bytes = facts.free_pages * facts.page_bytes;
  if (facts.page_bytes != 0 && free_bytes >= config.memory) return {};
  if (facts.page_bytes == 0)
    return tl::unexpected(
        std::string("hugepages = true, but this kernel has none of 2 MiB; set hugepages = false"));
  return tl::unexpected(fmt::format(
      "hugepages = true and memory = {} MiB, but only {} MiB of hugepages are free; as root run "
      "`echo {} > /proc/sys/vm/nr_hugepages`, lower memory, or set hugepages = false",
      config.memory >> 20, free_bytes >> 20,
      facts.total_pages + (config.memory - free_bytes + facts.page_bytes - 1) / facts.page_bytes));
}

OrMessage<void> check_cores(const EalConfig& config) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return {};
  for (const unsigned core : config.cores) {
    if (core < CPU_SETSIZE && CPU_ISSET(core, &allowed)) continue;
    std::string usable;
    for (unsigned i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &allowed)) usable += fmt::format("{}{}", usable.empty() ? "" : ", ", i);
    return tl::unexpected(fmt::format(
        "cores names CPU {}, which this process may not use; it may use {}", core, usable));
  }
  return {};
}

int advise_huge(const rte_memseg_list* list, void* /*unused*/) {
  // Transparent huge pages where the kernel allows them: a fifth of the TLB misses of 4 KiB pages,
  // no preparation.
  if (list->base_va != nullptr && list->len > 0) ::madvise(list->base_va, list->len, MADV_HUGEPAGE);
  return 0;
}

}  // namespace

struct Eal::Impl {
  std::FILE* log_stream = nullptr;
  cpu_set_t affinity_before{};
};

Eal::Eal(std::unique_ptr<Impl> impl, const EalConfig& config)
    : impl_(std::move(impl)),
      core_count_(std::max<std::size_t>(config.cores.size(), 1)),
      hugepages_(config.hugepages),
      memory_(config.memory) {}

OrMessage<std::unique_ptr<Eal>> Eal::start(const EalConfig& config) {
  if (const auto ok = check_cores(config); !ok) return tl::unexpected(ok.error());
  if (const auto ok = check_hugepages(config); !ok) return tl::unexpected(ok.error());
  if (started_before().exchange(true))
    return tl::unexpected(
        std::string("DPDK was started before in this process and can start once only"));

  auto impl = std::make_unique<Impl>();
  CPU_ZERO(&impl->affinity_before);
  ::sched_getaffinity(0, sizeof impl->affinity_before, &impl->affinity_before);
  impl->log_stream = open_log_stream();
  rte_openlog_stream(impl->log_stream);
  rte_log_set_global_level(RTE_LOG_WARNING);

  // A vhost-user peer that is gone is an error of a write, not the end of this process.
  std::signal(SIGPIPE, SIG_IGN);
  if (init_quietly(arguments_of(config)) < 0) {
    const std::string why = reason_of(rte_errno);
    rte_openlog_stream(nullptr);
    std::fclose(impl->log_stream);
    return tl::unexpected(fmt::format("DPDK did not start with {} MiB of {}: {}",
                                      config.memory >> 20,
                                      config.hugepages ? "hugepages" : "memory", why));
  }
  if (!config.hugepages) rte_memseg_list_walk(advise_huge, nullptr);
  if (config.cores.empty())
    ::sched_setaffinity(0, sizeof impl->affinity_before, &impl->affinity_before);
  return std::unique_ptr<Eal>(new Eal(std::move(impl), config));
}

Eal::~Eal() {
  const std::string directory = rte_eal_get_runtime_dir();
  rte_eal_cleanup();
  // Ours alone, by its name, and empty, as nothing is shared with other processes.
  ::rmdir(directory.c_str());
  rte_openlog_stream(nullptr);
  std::fclose(impl_->log_stream);
}

std::string Eal::log_tail() const {
  std::fflush(impl_->log_stream);
  return log_book().joined();
}
void Eal::clear_log() {
  std::fflush(impl_->log_stream);
  log_book().clear();
}

void Eal::unpin_this_thread() const {
  ::sched_setaffinity(0, sizeof impl_->affinity_before, &impl_->affinity_before);
}

}  // namespace dataplane::dpdk
