#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rdma/fabric.h"
#include "rdma/verbs/owned.h"

namespace rdmasync::rdma::verbs {

/// An opened device and one protection domain in it. Any thread.
class Device {
 public:
  /// `context` belongs to librdmacm, which keeps it open. Throws Error(kResources).
  explicit Device(ibv_context* context);

  ibv_context* context() const { return context_; }
  ibv_pd* domain() const { return domain_.get(); }
  const ibv_device_attr& limits() const { return limits_; }
  std::string name() const { return ibv_get_device_name(context_->device); }

  /// The most bytes of one ibv_mr, whole pages.
  std::size_t part_size() const { return part_size_; }

  /// In parts of part_size(), the last one shorter. Throws Error(kResources), with the limit and
  /// the remedy.
  std::vector<RegisteredMemory> register_memory(std::span<std::byte> bytes, Access access) const;

  /// Throws Error(kResources).
  CompletionQueue make_completion_queue(std::uint32_t size, ibv_comp_channel* channel) const;

  /// Gives an id a queue pair of this device. Throws Error(kResources).
  void make_queue_pair(rdma_cm_id& id, ibv_cq& completions, std::uint32_t depth) const;

 private:
  /// As errno says.
  Error cannot_register(std::size_t size) const;

  ibv_context* context_;
  ProtectionDomain domain_;
  ibv_device_attr limits_{};
  std::size_t part_size_ = 0;
};

/// Decides whether a fabric may use a device that rdma_cm has found. Throws Error(kRefused).
using ChooseDevice = std::function<std::shared_ptr<const Device>(ibv_context*)>;

/// One region for the rest of the program, whatever the device makes of it.
class Region final : public MemoryRegion {
 public:
  Region(std::shared_ptr<const Device> device, std::span<std::byte> bytes, Access access);

  PartKeys rkeys() const override { return keys(&ibv_mr::rkey, further_rkeys_); }
  PartKeys lkeys() const { return keys(&ibv_mr::lkey, further_lkeys_); }

  /// Whether a read through `device` may be delivered there.
  bool takes(const Device& device, const std::byte* into, std::size_t length) const;

 private:
  PartKeys keys(std::uint32_t ibv_mr::*key, const std::vector<std::uint32_t>& further) const;

  std::shared_ptr<const Device> device_;
  std::span<std::byte> bytes_;
  Access access_;
  std::vector<RegisteredMemory> parts_;
  std::vector<std::uint32_t> further_rkeys_;
  std::vector<std::uint32_t> further_lkeys_;
};

}  // namespace rdmasync::rdma::verbs
