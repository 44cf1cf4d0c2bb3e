#include "marc/benchmark/yaz_library.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace marc {

struct YazLibrary::Functions {
  void* (*marc_create)();
  void (*marc_destroy)(void*);
  void (*marc_reset)(void*);
  int (*read_iso2709)(void*, const char*, int);
  int (*write_iso2709)(void*, void*);
  int (*read_json_node)(void*, void*);
  void* (*json_parse)(const char*, const char**);
  void (*json_remove_node)(void*);
  void* (*wrbuf_alloc)();
  void (*wrbuf_destroy)(void*);
};

namespace {

// struct wrbuf of yaz/wrbuf.h.
struct Wrbuf {
  char* buf;
  size_t pos;
  size_t size;
};

}  // namespace

YazLibrary::YazLibrary() : yaz_(std::make_unique<Functions>()) {}

YazLibrary::~YazLibrary() {
  if (output_ != nullptr) yaz_->wrbuf_destroy(output_);
  if (record_ != nullptr) yaz_->marc_destroy(record_);
  if (library_ != nullptr) dlclose(library_);
}

absl::Status YazLibrary::Resolve() {
  const auto resolve = [this](const char* name, auto* function) {
    *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(dlsym(library_, name));
    return *function != nullptr ? absl::OkStatus() : absl::NotFoundError(absl::StrCat("libyaz lacks ", name));
  };
  RETURN_IF_ERROR(resolve("yaz_marc_create", &yaz_->marc_create));
  RETURN_IF_ERROR(resolve("yaz_marc_destroy", &yaz_->marc_destroy));
  RETURN_IF_ERROR(resolve("yaz_marc_reset", &yaz_->marc_reset));
  RETURN_IF_ERROR(resolve("yaz_marc_read_iso2709", &yaz_->read_iso2709));
  RETURN_IF_ERROR(resolve("yaz_marc_write_iso2709", &yaz_->write_iso2709));
  RETURN_IF_ERROR(resolve("yaz_marc_read_json_node", &yaz_->read_json_node));
  RETURN_IF_ERROR(resolve("json_parse", &yaz_->json_parse));
  RETURN_IF_ERROR(resolve("json_remove_node", &yaz_->json_remove_node));
  RETURN_IF_ERROR(resolve("wrbuf_alloc", &yaz_->wrbuf_alloc));
  return resolve("wrbuf_destroy", &yaz_->wrbuf_destroy);
}

absl::StatusOr<std::unique_ptr<YazLibrary>> YazLibrary::Load() {
  auto library = std::unique_ptr<YazLibrary>(new YazLibrary);
  library->library_ = dlopen("libyaz.so.5", RTLD_NOW);
  if (library->library_ == nullptr) return absl::NotFoundError(dlerror());
  RETURN_IF_ERROR(library->Resolve());
  library->record_ = library->yaz_->marc_create();
  library->output_ = library->yaz_->wrbuf_alloc();
  return library;
}

void YazLibrary::TakeOutput(std::string* out) {
  auto* buffer = static_cast<Wrbuf*>(output_);
  out->append(buffer->buf, buffer->pos);
  buffer->pos = 0;
}

absl::StatusOr<size_t> YazLibrary::CopyRecord(const char* iso2709, size_t size, std::string* out) {
  const int count = yaz_->read_iso2709(record_, iso2709, static_cast<int>(size));
  if (count <= 0) return absl::DataLossError("yaz reads no record");
  if (yaz_->write_iso2709(record_, output_) != 0) return absl::DataLossError("yaz writes no record");
  TakeOutput(out);
  return static_cast<size_t>(count);
}

absl::Status YazLibrary::ConvertJson(const char* json, std::string* out) {
  const char* message = nullptr;
  void* node = yaz_->json_parse(json, &message);
  if (node == nullptr) return absl::DataLossError(absl::StrCat("yaz: ", message == nullptr ? "no JSON" : message));
  yaz_->marc_reset(record_);
  const int read = yaz_->read_json_node(record_, node);
  yaz_->json_remove_node(node);
  if (read != 0) return absl::DataLossError("yaz: no MARC in this JSON");
  if (yaz_->write_iso2709(record_, output_) != 0) return absl::DataLossError("yaz writes no record");
  TakeOutput(out);
  return absl::OkStatus();
}

}  // namespace marc
