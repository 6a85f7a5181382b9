#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <variant>

#include "cc/balia.hpp"
#include "cc/bbr.hpp"
#include "cc/cubic.hpp"
#include "cc/dctcp.hpp"
#include "cc/kind.hpp"
#include "cc/lia.hpp"
#include "cc/new_reno.hpp"
#include "cc/olia.hpp"
#include "cc/window.hpp"
#include "cc/wvegas.hpp"

namespace cc {

/// A congestion controller is a plain value with these members; it sees octets and times, never
/// packets.
template <class C>
concept Controller = std::copyable<C> && std::constructible_from<C, const ControllerConfig&> &&
    requires(C c, const C k, const AckSample& ack, Instant now, Duration span,
             std::uint64_t in_flight, std::uint32_t mss) {
  // For each ACK that acknowledges something.
  { c.on_ack(ack) } -> std::same_as<void>;
  // A loss by duplicate ACKs or SACK, once per round trip: recovery begins. `in_flight` is
  // FlightSize (RFC 5681 §2).
  { c.on_loss(now, in_flight) } -> std::same_as<void>;
  // Each time that the retransmission timer fires.
  { c.on_timeout(now, in_flight) } -> std::same_as<void>;
  // Before the first segment after a time in which nothing was in flight.
  { c.on_idle(now, span, span) } -> std::same_as<void>;
  // The last on_loss or first on_timeout was a mistake (RFC 4015, RFC 3708, RFC 5682).
  { c.on_undo() } -> std::same_as<void>;
  { c.set_mss(mss) } -> std::same_as<void>;
  { k.window() } -> std::same_as<std::uint64_t>;
  { k.ssthresh() } -> std::same_as<std::uint64_t>;
  // Octets per second; 0: segments go as fast as the window allows.
  { k.pacing_rate() } -> std::same_as<std::uint64_t>;
};

/// In the order of Kind.
using AnyController = std::variant<NewReno, Cubic, Bbr, CoupledReno<Lia>, CoupledReno<Olia>,
                                   CoupledReno<Balia>, Wvegas, Dctcp>;
static_assert(Controller<NewReno> && Controller<Cubic> && Controller<Bbr> &&
              Controller<CoupledReno<Lia>> && Controller<CoupledReno<Olia>> &&
              Controller<CoupledReno<Balia>> && Controller<Wvegas> && Controller<Dctcp>);
static_assert(std::variant_size_v<AnyController> == kKindCount);
static_assert(sizeof(AnyController) <= 296);

AnyController make_controller(Kind kind, const ControllerConfig& config);

inline void on_ack(AnyController& any, const AckSample& ack) {
  std::visit([&](Controller auto& c) { c.on_ack(ack); }, any);
}
inline void on_loss(AnyController& any, Instant now, std::uint64_t in_flight) {
  std::visit([&](Controller auto& c) { c.on_loss(now, in_flight); }, any);
}
inline void on_timeout(AnyController& any, Instant now, std::uint64_t in_flight) {
  std::visit([&](Controller auto& c) { c.on_timeout(now, in_flight); }, any);
}
inline void on_idle(AnyController& any, Instant now, Duration idle, Duration rto) {
  std::visit([&](Controller auto& c) { c.on_idle(now, idle, rto); }, any);
}
inline void on_undo(AnyController& any) {
  std::visit([](Controller auto& c) { c.on_undo(); }, any);
}
inline void set_mss(AnyController& any, std::uint32_t mss) {
  std::visit([&](Controller auto& c) { c.set_mss(mss); }, any);
}
inline std::uint64_t window(const AnyController& any) {
  return std::visit([](const Controller auto& c) { return c.window(); }, any);
}
inline std::uint64_t ssthresh(const AnyController& any) {
  return std::visit([](const Controller auto& c) { return c.ssthresh(); }, any);
}
inline std::uint64_t pacing_rate(const AnyController& any) {
  return std::visit([](const Controller auto& c) { return c.pacing_rate(); }, any);
}

/// A controller that answers marks (RFC 3168) has one member more; what others send is not
/// ECN-capable.
template <class C>
concept EcnController = Controller<C> && requires(C c, Instant now, std::uint64_t in_flight) {
  // Marks were reported, once per window of data and only if no loss has reduced it. `in_flight`:
  // octets before the ACK came that said so. No undo takes this back.
  { c.on_ecn(now, in_flight) } -> std::same_as<void>;
};
inline bool heeds_ecn(const AnyController& any) {
  return std::visit([]<class C>(const C&) { return EcnController<C>; }, any);
}
inline void on_ecn(AnyController& any, Instant now, std::uint64_t in_flight) {
  std::visit(
      [&]<class C>(C& c) {
        if constexpr (EcnController<C>) c.on_ecn(now, in_flight);
      },
      any);
}

/// A controller that heeds its siblings has two members more.
template <class C>
concept CoupledController = Controller<C> && requires(C c, const C k, const Coupling& coupling) {
  { c.on_coupling(coupling) } -> std::same_as<void>;
  { k.sibling() } -> std::same_as<Sibling>;
};

/// What this subflow tells its siblings; nothing where the controller heeds none.
inline std::optional<Sibling> sibling(const AnyController& any) {
  return std::visit(
      []<class C>(const C& c) -> std::optional<Sibling> {
        if constexpr (CoupledController<C>) return c.sibling();
        return std::nullopt;
      },
      any);
}
inline void on_coupling(AnyController& any, const Coupling& coupling) {
  std::visit(
      [&]<class C>(C& c) {
        if constexpr (CoupledController<C>) c.on_coupling(coupling);
      },
      any);
}

}  // namespace cc
