#include "dataplane/base/assert.hpp"

#include <cstdio>

namespace dataplane {

void assertion_failed(const char* fact, const char* file, int line) noexcept {
  std::fprintf(stderr, "hawser: assertion failed at %s:%d: %s\n", file, line, fact);
  std::abort();
}

}  // namespace dataplane
