#pragma once

#include <cstddef>
#include <string_view>

/// A watch over the process's heap, for tests that a secret is wiped before its memory is given back.
namespace qsp::freed_memory {

/// From now on, counts blocks that are given back with `secret` in them. The text outlives the watch.
void watch_for(std::string_view secret);
/// Ends the watch and returns the count.
std::size_t found();

}  // namespace qsp::freed_memory
