// The parser of MPTCP's options over any octets: no read out of bounds, every walk ends, and what
// was understood is emitted in a form that is understood the same. With an odd first octet, the
// second one is the length of one option, whose body follows.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "mptcp/wire/option.hpp"

namespace mptcp {
namespace {

void require(bool fact) {
  if (!fact) std::abort();
}

void try_option(const Option& option) {
  if (std::holds_alternative<UnknownOption>(option)) return;
  std::vector<std::byte> out(emitted_length(option));
  require(out.size() % 4 == 0 && emit(option, out) == out.size());
  const auto again = parse_option(ByteSpan(out).first(static_cast<std::size_t>(out[1])));
  require(again.has_value() && *again == option);
}

void walk(ByteSpan octets) {
  OptionReader reader(octets);
  std::size_t read = 0;
  while (const auto option = reader.next()) {
    require(++read <= octets.size());
    if (option->has_value()) try_option(**option);
  }
}

}  // namespace
}  // namespace mptcp

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  std::vector<unsigned char> exact(data + 1, data + size);
  if ((data[0] & 1) != 0) {
    const std::size_t length = std::min<std::size_t>(exact.size() + 1, 2 + exact[0] % 39U);
    exact.insert(exact.begin(), mptcp::kOptionKind);
    exact[1] = static_cast<unsigned char>(length);
    exact.resize(length);
  }
  mptcp::walk(std::as_bytes(std::span(exact)));
  return 0;
}
