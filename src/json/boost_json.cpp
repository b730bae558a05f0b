// Debian's default packages have Boost.JSON's headers only; this compiles it, here and nowhere else.
#include <boost/json/src.hpp>
