// HTML escaping: & < > ' " become &amp; &lt; &gt; &#39; &#34;
//
// Sixteen bytes at a time where the machine can; text without special
// characters, nearly all of it, costs about a copy.
// Threads: no state.
#ifndef SSG_TEMPLATE_ESCAPE_H_
#define SSG_TEMPLATE_ESCAPE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "ssg/template/output.h"

namespace ssg::tmpl {

// The index of the first character to escape, or the size.
size_t FindSpecial(absl::string_view text);
void AppendEscaped(absl::string_view text, Output& out);
void AppendEscaped(absl::string_view text, std::string& out);

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_ESCAPE_H_
