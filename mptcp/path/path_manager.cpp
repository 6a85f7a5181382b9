#include "mptcp/path/path_manager.hpp"

#include "mptcp/path/fixed_pairs.hpp"
#include "mptcp/path/full_mesh.hpp"
#include "mptcp/path/none.hpp"

namespace mptcp {

Joins next_joins(PathManagerKind kind, const PathView& view) {
  switch (kind) {
    case PathManagerKind::None:
      return none::next_joins(view);
    case PathManagerKind::FixedPairs:
      return fixed_pairs::next_joins(view);
    case PathManagerKind::FullMesh:
      return full_mesh::next_joins(view);
  }
  return {};
}

}  // namespace mptcp
