#pragma once

#include <cstdint>

namespace mptcp::api::embed {

/// Levels and names of Linux that C libraries may not have yet.
inline constexpr int kSolMptcp = 284;
inline constexpr int kTcpIsMptcp = 43;
inline constexpr int kMptcpInfo = 1;
inline constexpr int kMptcpTcpInfo = 2;
inline constexpr int kMptcpSubflowAddrs = 3;
inline constexpr int kMptcpFullInfo = 4;

/// A socket option that is one int, with what Linux lets one set.
struct OptionRule {
  enum class Kind : std::uint8_t {
    Number,  ///< From `least` to `most`, or -EINVAL.
    Flag,    ///< Anything but 0 is 1.
    Buffer,  ///< Twice the number, from `least` to `most`.
    Octet,   ///< A Number of the IP level, which one octet can say as well.
    Told,    ///< Cannot be set.
  };
  /// What a socket of MPTCP does with it.
  enum class Multipath : std::uint8_t { Same, Refused, Ignored };

  int level = 0;
  int name = 0;
  Kind kind{};
  int initial = 0;
  int least = 0;
  int most = 0;
  Multipath multipath = Multipath::Same;
};

/// nullptr: there is no such option here.
const OptionRule* find_rule(int level, int name);

}  // namespace mptcp::api::embed
