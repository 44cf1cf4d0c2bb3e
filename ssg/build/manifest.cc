#include "ssg/build/manifest.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "absl/status/status.h"

namespace ssg {
namespace {

constexpr char kMagic[8] = {'s', 's', 'g', 'm', 'a', 'n', '0', '2'};

class Writer {
 public:
  template <typename T>
  void Raw(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void Text(absl::string_view text) {
    Raw(static_cast<uint32_t>(text.size()));
    bytes_.append(text.data(), text.size());
  }
  void Numbers(const std::vector<uint32_t>& numbers) {
    Raw(static_cast<uint32_t>(numbers.size()));
    bytes_.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(uint32_t));
  }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(absl::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  void Raw(T* value) {
    if (!Need(sizeof(T))) return;
    std::memcpy(value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
  }
  void Text(absl::string_view* text) {
    const uint32_t size = Count(1);
    *text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
  }
  void Numbers(std::vector<uint32_t>* numbers) {
    const uint32_t count = Count(sizeof(uint32_t));
    numbers->resize(count);
    if (count > 0) std::memcpy(numbers->data(), bytes_.data(), count * sizeof(uint32_t));
    bytes_.remove_prefix(count * sizeof(uint32_t));
  }
  // A count of things of at least `size` bytes each that are still to come.
  uint32_t Count(size_t size) {
    uint32_t count = 0;
    Raw(&count);
    if (!ok_ || count > bytes_.size() / size) {
      ok_ = false;
      return 0;
    }
    return count;
  }
  bool ok() const { return ok_; }
  bool done() const { return bytes_.empty(); }

 private:
  bool Need(size_t size) {
    if (bytes_.size() < size) ok_ = false;
    return ok_;
  }
  absl::string_view bytes_;
  bool ok_ = true;
};

// One list of fields serves both directions.
template <typename Codec, typename Record>
void Code(Codec& c, Record& r, const Manifest::Source*) {
  c.Text(r.path);
  c.Raw(r.mark);
  c.Raw(r.hash);
  c.Text(r.values);
  c.Raw(r.body_offset);
  c.Raw(r.body_line);
  c.Raw(r.body_at);
  c.Raw(r.body_size);
  c.Raw(r.text_facet);
  c.Raw(r.body_facet);
  c.Raw(r.outline_facet);
  c.Numbers(r.body.reads);
  c.Numbers(r.body.templates);
}
template <typename Codec, typename Record>
void Code(Codec& c, Record& r, const Manifest::Object*) {
  c.Text(r.key);
  c.Raw(r.facets);
}
template <typename Codec, typename Record>
void Code(Codec& c, Record& r, const Manifest::Template*) {
  c.Text(r.name);
  c.Raw(r.hash);
}
template <typename Codec, typename Record>
void Code(Codec& c, Record& r, const Manifest::Output*) {
  c.Text(r.path);
  c.Raw(r.mark);
  c.Raw(r.content_hash);
  c.Raw(r.input_hash);
  c.Raw(r.object);
  c.Raw(r.page_number);
  c.Numbers(r.dependencies.reads);
  c.Numbers(r.dependencies.templates);
}

struct WriterCodec {
  Writer& writer;
  template <typename T>
  void Raw(const T& value) {
    writer.Raw(value);
  }
  void Text(absl::string_view text) { writer.Text(text); }
  void Numbers(const std::vector<uint32_t>& numbers) { writer.Numbers(numbers); }
};
struct ReaderCodec {
  Reader& reader;
  template <typename T>
  void Raw(T& value) {
    reader.Raw(&value);
  }
  void Text(absl::string_view& text) { reader.Text(&text); }
  void Numbers(std::vector<uint32_t>& numbers) { reader.Numbers(&numbers); }
};

template <typename Record>
void WriteAll(Writer& writer, const std::vector<Record>& records) {
  writer.Raw(static_cast<uint32_t>(records.size()));
  WriterCodec codec{writer};
  for (const Record& record : records) Code(codec, record, static_cast<const Record*>(nullptr));
}

template <typename Record>
void ReadAll(Reader& reader, std::vector<Record>* records) {
  const uint32_t count = reader.Count(8);
  records->resize(count);
  ReaderCodec codec{reader};
  for (Record& record : *records) {
    if (!reader.ok()) return;
    Code(codec, record, static_cast<const Record*>(nullptr));
  }
}

// Whether every index points at something.
bool IsConsistent(const Manifest& manifest) {
  const size_t reads_end = manifest.objects.size() * kFacetCount;
  const auto fits = [&](const Dependencies& dependencies) {
    for (const uint32_t read : dependencies.reads) {
      if (read >= reads_end) return false;
    }
    for (const uint32_t index : dependencies.templates) {
      if (index >= manifest.templates.size()) return false;
    }
    return true;
  };
  for (const auto& source : manifest.sources) {
    if (!fits(source.body)) return false;
    if (source.body_at > manifest.bodies_size || source.body_size > manifest.bodies_size - source.body_at) return false;
  }
  for (const auto& output : manifest.outputs) {
    if (!fits(output.dependencies)) return false;
  }
  const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
  return std::is_sorted(manifest.sources.begin(), manifest.sources.end(), by_path) &&
         std::is_sorted(manifest.outputs.begin(), manifest.outputs.end(), by_path);
}

template <typename Record>
const Record* FindByPath(const std::vector<Record>& records, absl::string_view path) {
  const auto found = std::lower_bound(records.begin(), records.end(), path,
                                      [](const Record& record, absl::string_view key) { return record.path < key; });
  return found != records.end() && found->path == path ? &*found : nullptr;
}

}  // namespace

const Manifest::Source* Manifest::FindSource(absl::string_view path) const { return FindByPath(sources, path); }
const Manifest::Output* Manifest::FindOutput(absl::string_view path) const { return FindByPath(outputs, path); }

std::string EncodeManifest(const Manifest& manifest) {
  Writer writer;
  writer.Raw(kMagic);
  writer.Raw(uint64_t{0});  // the checksum's place
  writer.Raw(manifest.generator);
  writer.Raw(manifest.markdown_hash);
  writer.Raw(manifest.valid_until);
  writer.Raw(manifest.bodies_id);
  writer.Raw(manifest.bodies_size);
  writer.Raw(manifest.git_hash);
  WriteAll(writer, manifest.sources);
  WriteAll(writer, manifest.objects);
  WriteAll(writer, manifest.templates);
  WriteAll(writer, manifest.outputs);
  std::string bytes = std::move(writer.bytes());
  const uint64_t checksum = XXH3_64bits(bytes.data() + 16, bytes.size() - 16);
  std::memcpy(bytes.data() + 8, &checksum, sizeof(checksum));
  return bytes;
}

absl::StatusOr<Manifest> DecodeManifest(absl::string_view bytes) {
  uint64_t checksum = 0;
  if (bytes.size() < 16 || std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) {
    return absl::DataLossError("not a manifest of this version");
  }
  std::memcpy(&checksum, bytes.data() + 8, sizeof(checksum));
  if (checksum != XXH3_64bits(bytes.data() + 16, bytes.size() - 16)) {
    return absl::DataLossError("the manifest's checksum does not match");
  }
  Reader reader(bytes.substr(16));
  Manifest manifest;
  reader.Raw(&manifest.generator);
  reader.Raw(&manifest.markdown_hash);
  reader.Raw(&manifest.valid_until);
  reader.Raw(&manifest.bodies_id);
  reader.Raw(&manifest.bodies_size);
  reader.Raw(&manifest.git_hash);
  ReadAll(reader, &manifest.sources);
  ReadAll(reader, &manifest.objects);
  ReadAll(reader, &manifest.templates);
  ReadAll(reader, &manifest.outputs);
  if (!reader.ok() || !reader.done() || !IsConsistent(manifest)) return absl::DataLossError("the manifest is damaged");
  return manifest;
}

}  // namespace ssg
