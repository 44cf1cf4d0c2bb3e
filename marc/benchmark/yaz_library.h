// YazLibrary is libyaz as found at run time: what yaz-marcdump does, without its
// process.
//
// Errors:  NotFound     the library is not installed, or lacks a function
//          DataLoss     it does not read a record
// Threads: thread-compatible.
// Source:  yaz/marcdisp.h, yaz/json.h, yaz/wrbuf.h of yaz 5.
#ifndef MARC_BENCHMARK_YAZ_LIBRARY_H_
#define MARC_BENCHMARK_YAZ_LIBRARY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace marc {

class YazLibrary {
 public:
  static absl::StatusOr<std::unique_ptr<YazLibrary>> Load();
  ~YazLibrary();
  YazLibrary(const YazLibrary&) = delete;
  YazLibrary& operator=(const YazLibrary&) = delete;

  // Reads the record at the start of `iso2709` and appends it, written again.
  // Returns how many bytes it took.
  absl::StatusOr<size_t> CopyRecord(const char* iso2709, size_t size, std::string* out);
  // Reads one MARC-in-JSON object, terminated by a zero byte, and appends it as ISO 2709.
  absl::Status ConvertJson(const char* json, std::string* out);

 private:
  struct Functions;
  YazLibrary();
  absl::Status Resolve();
  void TakeOutput(std::string* out);

  void* library_ = nullptr;
  std::unique_ptr<Functions> yaz_;
  void* record_ = nullptr;  // yaz_marc_t
  void* output_ = nullptr;  // WRBUF
};

}  // namespace marc

#endif  // MARC_BENCHMARK_YAZ_LIBRARY_H_
