#include "cc/controller.hpp"

#include "dataplane/base/assert.hpp"

namespace cc {

AnyController make_controller(Kind kind, const ControllerConfig& config) {
  ASSERT(config.mss > 0 && config.initial_window_segments > 0);
  switch (kind) {
    case Kind::NewReno:
      return NewReno(config);
    case Kind::Cubic:
      return Cubic(config);
    case Kind::Bbr:
      return Bbr(config);
    case Kind::Lia:
      return CoupledReno<Lia>(config);
    case Kind::Olia:
      return CoupledReno<Olia>(config);
    case Kind::Balia:
      return CoupledReno<Balia>(config);
    case Kind::Wvegas:
      return Wvegas(config);
    case Kind::Dctcp:
      return Dctcp(config);
  }
  return NewReno(config);
}

}  // namespace cc
