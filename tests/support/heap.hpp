#pragma once

#include <cstddef>

#include "qsp/bytes.hpp"

/// The heap of a test program that asks what is allocated and what is freed: linked with qsp_test_heap, every form of
/// operator new and delete is ours. Where one form were left to the system, a block could be made by one allocator and
/// given back to the other.
namespace qsp::test::heap {

/// Blocks that operator new has made so far, by any thread.
std::size_t made() noexcept;

/// What is shown each block just before it is given back. It must not allocate or free.
using Observer = void (*)(Bytes block) noexcept;
/// The observer from now on; nullptr for none.
void observe(Observer observer) noexcept;

/// Whether some block on the heap holds these bytes now.
using Search = bool (*)(Bytes block, const void* what) noexcept;
bool any_block(Search search, const void* what) noexcept;

}  // namespace qsp::test::heap
