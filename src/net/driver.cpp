#include "qsp/endpoint.hpp"
