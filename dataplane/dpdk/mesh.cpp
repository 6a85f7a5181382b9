#include "dataplane/dpdk/mesh.hpp"

#include <utility>

#include "dataplane/base/assert.hpp"
#include "dataplane/net/ingress_batch.hpp"

namespace dataplane::dpdk {

Mesh::Mesh(std::size_t cores) {
  for (std::size_t from = 0; from < cores; ++from) {
    doorbells_.push_back(std::make_unique<Doorbell>());
    to_send_.push_back(from == 0 ? nullptr : std::make_unique<Ring>(kRingParcels));
    for (std::size_t to = 0; to < cores; ++to)
      received_.push_back(from == to ? nullptr : std::make_unique<Ring>(kRingParcels));
  }
}

Outbox::Outbox(Mesh& mesh, std::size_t core)
    : mesh_(mesh), core_(core), batches_(mesh.core_count()) {}

void Outbox::send(std::size_t to, Parcel parcel) {
  ASSERT(to < batches_.size() && to != core_);
  Batch& batch = batches_[to];
  batch.parcels[batch.count++] = std::move(parcel);
  if (batch.count == batch.parcels.size()) flush_to(to);
}

void Outbox::send_to_all(PortIndex port, const Packet& frame, PacketPool& pool) {
  for (std::size_t to = 0; to < batches_.size(); ++to) {
    if (to == core_) continue;
    Packet copy = net::copy_frame(frame, pool);
    if (copy) {
      send(to, {port, true, std::move(copy)});
    } else {
      ++dropped_;
    }
  }
}

void Outbox::flush() {
  for (std::size_t to = 0; to < batches_.size(); ++to)
    if (batches_[to].count != 0) flush_to(to);
}

void Outbox::flush_to(std::size_t to) {
  Batch& batch = batches_[to];
  const std::span<Parcel> all(batch.parcels.data(), batch.count);
  const std::size_t taken = mesh_.received(core_, to).push_batch(all);
  for (Parcel& parcel : all.subspan(taken))
    parcel.frame.reset();
  sent_ += taken;
  dropped_ += all.size() - taken;
  batch.count = 0;
  mesh_.doorbell(to).ring();
}

}  // namespace dataplane::dpdk
