// JSON strings from any bytes, for reports and statistics.
//
// Threads: no state.
#ifndef MARC_CODEC_JSON_TEXT_H_
#define MARC_CODEC_JSON_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace marc {

// Appends `text` as a JSON string with its quotes. Bytes that are not valid
// UTF-8 become U+FFFD.
void AppendJsonString(absl::string_view text, std::string* out);

}  // namespace marc

#endif  // MARC_CODEC_JSON_TEXT_H_
