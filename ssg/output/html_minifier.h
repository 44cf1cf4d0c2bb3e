// Minifies HTML: comments go and runs of blanks shrink, nowhere so that a page
// could look or work differently.
//
// Shape:   <pre>, <textarea>, <script>, <style>, <code>, <svg>, <math> and
//          elements with "white-space" in their style stay byte for byte. A run
//          of blanks between inline things stays one blank; next to the tag of a
//          block it goes. Conditional comments ("<!--[if") and "<!--!" stay.
// Threads: no state.
#ifndef SSG_OUTPUT_HTML_MINIFIER_H_
#define SSG_OUTPUT_HTML_MINIFIER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace ssg {

// Any input is accepted; from something without end on, it stays as it is.
std::string MinifyHtml(absl::string_view html);

}  // namespace ssg

#endif  // SSG_OUTPUT_HTML_MINIFIER_H_
