#pragma once

#include <cstdlib>

namespace dataplane {

/// Ends the process with the place and the fact that did not hold. Never returns.
[[noreturn, gnu::cold]] void assertion_failed(const char* fact, const char* file,
                                              int line) noexcept;

}  // namespace dataplane

/// A fact that only our own mistake can break. Kept in release builds. Never for what a peer sends.
#define ASSERT(fact)                            \
  (__builtin_expect(static_cast<bool>(fact), 1) \
       ? static_cast<void>(0)                   \
       : ::dataplane::assertion_failed(#fact, __FILE__, __LINE__))

/// Like ASSERT, where checking would cost on the data path: compiled out of optimised builds.
#ifdef __OPTIMIZE__
#define DEBUG_ASSERT(fact) static_cast<void>(sizeof(static_cast<bool>(fact)))
#else
#define DEBUG_ASSERT(fact) ASSERT(fact)
#endif
