#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "rdma/emulated/region_table.h"
#include "rdma/fabric.h"

namespace rdmasync::rdma {

/// What the emulated fabrics have in common: registering costs nothing but an entry in a table.
class EmulatedFabric : public Fabric {
 public:
  std::unique_ptr<MemoryRegion> register_memory(std::span<std::byte> bytes, Access access) override;

 protected:
  /// Shared, because regions and listeners may outlive their fabric.
  const std::shared_ptr<RegionTable>& regions() const { return regions_; }

 private:
  std::shared_ptr<RegionTable> regions_ = std::make_shared<RegionTable>();
};

/// The error of a read whose `into` is not inside a region registered for it, as a device would
/// notice.
std::optional<Error> check_local(const Read& read);

/// The emulated fabrics. Throw Error(kRefused) where this machine cannot run them.
std::unique_ptr<Fabric> make_cma_fabric();
std::unique_ptr<Fabric> make_tcp_fabric();

}  // namespace rdmasync::rdma
