// Boost.URL is compiled here, once, so that no package beyond Boost's headers is needed.
#include <boost/url/src.hpp>
