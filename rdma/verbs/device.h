#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

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

  /// Throws Error(kResources), with the limit and the remedy.
  RegisteredMemory register_memory(std::span<std::byte> bytes, Access access) const;

  /// Gives an id a queue pair of this device. Throws Error(kResources).
  void make_queue_pair(rdma_cm_id& id, ibv_cq& completions, std::uint32_t depth) const;

 private:
  ibv_context* context_;
  ProtectionDomain domain_;
  ibv_device_attr limits_{};
};

/// Decides whether a fabric may use a device that rdma_cm has found. Throws Error(kRefused).
using ChooseDevice = std::function<std::shared_ptr<const Device>(ibv_context*)>;

class Region final : public MemoryRegion {
 public:
  Region(std::shared_ptr<const Device> device, std::span<std::byte> bytes, Access access);

  std::uint32_t rkey() const override { return memory_ ? memory_->rkey : 0; }
  std::uint32_t lkey() const { return memory_ ? memory_->lkey : 0; }

  /// Whether a read through `device` may be delivered there.
  bool takes(const Device& device, const std::byte* into, std::size_t length) const;

 private:
  std::shared_ptr<const Device> device_;
  std::span<std::byte> bytes_;
  Access access_;
  RegisteredMemory memory_;
};

}  // namespace rdmasync::rdma::verbs
