// Boost.JSON without its shared library: the definitions, compiled once.
#include <boost/json/src.hpp>
