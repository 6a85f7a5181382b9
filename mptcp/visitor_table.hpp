#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/base/address.hpp"
#include "dataplane/base/time.hpp"
#include "dataplane/net/flow_table.hpp"

namespace mptcp {

/// Flows whose segments reach this core and belong to a connection of another one: joins, which
/// name their connection by a token and not by their addresses. All memory is taken at start; where
/// there are too many, one of those that were silent for longest is forgotten.
class VisitorTable {
 public:
  VisitorTable(std::size_t most, std::uint64_t seed);

  void add(const dataplane::FourTuple& flow, std::uint16_t home, dataplane::Instant now);
  /// The core that has the flow.
  std::optional<std::uint16_t> find(const dataplane::FourTuple& flow, dataplane::Instant now);
  void erase(const dataplane::FourTuple& flow);
  std::size_t size() const { return places_.size(); }

 private:
  struct Visitor {
    dataplane::FourTuple flow;
    dataplane::Instant last{};  ///< Of its segments.
    std::uint16_t home = 0;
  };
  /// Visitors that are looked at for the one to forget.
  static constexpr std::size_t kLooks = 32;

  std::uint32_t free_place();

  dataplane::net::FlowTable places_;
  std::vector<Visitor> visitors_;
  std::vector<std::uint32_t> free_;
  std::size_t hand_ = 0;  ///< Where the next look begins.
};

}  // namespace mptcp
