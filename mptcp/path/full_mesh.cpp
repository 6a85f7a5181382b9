#include "mptcp/path/full_mesh.hpp"

#include "mptcp/path/plan.hpp"

namespace mptcp::full_mesh {

Joins next_joins(const PathView& view) {
  Plan plan(view);
  for (const LocalAddress& local : view.locals) {
    for (const RemoteAddress& remote : view.remotes) {
      if (plan.is_full()) return plan.joins();
      if (plan.may_join(local, remote)) plan.join(local, remote);
    }
  }
  return plan.joins();
}

}  // namespace mptcp::full_mesh
