#include "apps/common/signals.hpp"

#include <chrono>
#include <csignal>
#include <sys/signalfd.h>
#include <unistd.h>

namespace apps {

Signals::Signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  std::signal(SIGPIPE, SIG_IGN);
}

Signals::~Signals() {
  if (fd_ >= 0) close(fd_);
}

std::optional<int> Signals::poll(dataplane::Instant now) {
  if (now < next_look_) return std::nullopt;
  next_look_ = now + std::chrono::milliseconds(1);
  signalfd_siginfo info{};
  if (fd_ < 0 || read(fd_, &info, sizeof info) != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace apps
