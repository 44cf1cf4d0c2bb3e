// Values laid out over several lines, as Python's pprint.pformat() does it.
//
// Threads: one render belongs to one thread.
// Source:  CPython 3.11, Lib/pprint.py.
#ifndef SSG_TEMPLATE_PRETTY_H_
#define SSG_TEMPLATE_PRETTY_H_

#include <string>

#include "absl/status/status.h"
#include "ssg/template/runtime.h"
#include "ssg/template/value.h"

namespace ssg::tmpl {

absl::Status AppendPretty(Runtime& runtime, const Value& value, std::string& out);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_PRETTY_H_
