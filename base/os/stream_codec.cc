#include "base/os/stream_codec.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace base::internal {
namespace {

constexpr size_t kBufferBytes = size_t{128} << 10;
constexpr int kGzipWindow = 15 + 16;  // zlib's way of asking for a gzip header

class Gunzip final : public Source {
 public:
  explicit Gunzip(std::unique_ptr<Source> input) : input_(std::move(input)), buffer_(kBufferBytes) {
    ok_ = inflateInit2(&stream_, kGzipWindow) == Z_OK;
  }
  ~Gunzip() override { inflateEnd(&stream_); }

  absl::StatusOr<size_t> Read(absl::Span<char> out) override {
    if (!ok_) return absl::ResourceExhaustedError("zlib has no memory");
    if (out.empty()) return 0;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(out.size(), UINT32_MAX));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted) {
      if (stream_.avail_in == 0) {
        ASSIGN_OR_RETURN(const size_t count, input_->Read(absl::MakeSpan(buffer_)));
        if (count == 0) {
          if (between_members_) return 0;
          return absl::DataLossError("gzip data is cut short");
        }
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(count);
      }
      if (between_members_) {
        if (inflateReset(&stream_) != Z_OK) return absl::InternalError("inflateReset");
        between_members_ = false;
      }
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        between_members_ = true;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return absl::DataLossError(
            absl::StrCat("gzip data is damaged: ", stream_.msg != nullptr ? stream_.msg : "no reason given"));
      }
    }
    return wanted - stream_.avail_out;
  }

 private:
  const std::unique_ptr<Source> input_;
  std::vector<char> buffer_;
  z_stream stream_ = {};
  bool ok_ = false;
  bool between_members_ = false;
};

class Unzstd final : public Source {
 public:
  explicit Unzstd(std::unique_ptr<Source> input)
      : input_(std::move(input)), buffer_(kBufferBytes), stream_(ZSTD_createDStream()) {
    // A frame may ask for a window of gigabytes: 128 MiB is what zstd -d allows.
    if (stream_ != nullptr) ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 27);
  }
  ~Unzstd() override { ZSTD_freeDStream(stream_); }

  absl::StatusOr<size_t> Read(absl::Span<char> out) override {
    if (stream_ == nullptr) return absl::ResourceExhaustedError("zstd has no memory");
    ZSTD_outBuffer output = {out.data(), out.size(), 0};
    while (output.pos == 0 && !out.empty()) {
      if (in_.pos == in_.size && !more_inside_) {
        ASSIGN_OR_RETURN(const size_t count, input_->Read(absl::MakeSpan(buffer_)));
        if (count == 0) {
          if (hint_ == 0) return 0;
          return absl::DataLossError("zstd data is cut short");
        }
        in_ = {buffer_.data(), count, 0};
      }
      hint_ = ZSTD_decompressStream(stream_, &output, &in_);
      if (ZSTD_isError(hint_) != 0) {
        return absl::DataLossError(absl::StrCat("zstd data is damaged: ", ZSTD_getErrorName(hint_)));
      }
      // A full output buffer may mean that more waits inside the decoder.
      more_inside_ = output.pos == output.size && hint_ != 0;
    }
    return output.pos;
  }

 private:
  const std::unique_ptr<Source> input_;
  std::vector<char> buffer_;
  ZSTD_DStream* const stream_;
  ZSTD_inBuffer in_ = {nullptr, 0, 0};
  size_t hint_ = 0;
  bool more_inside_ = false;
};

class Gzip final : public Sink {
 public:
  explicit Gzip(std::unique_ptr<Sink> output) : output_(std::move(output)), buffer_(kBufferBytes) {
    ok_ = deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Gzip() override { deflateEnd(&stream_); }

  absl::Status Write(absl::string_view data) override {
    while (!data.empty()) {
      const absl::string_view part = data.substr(0, size_t{1} << 30);
      RETURN_IF_ERROR(Run(part, Z_NO_FLUSH));
      data.remove_prefix(part.size());
    }
    return absl::OkStatus();
  }
  absl::Status Close() override {
    RETURN_IF_ERROR(Run("", Z_FINISH));
    return output_->Close();
  }

 private:
  absl::Status Run(absl::string_view data, int flush) {
    if (!ok_) return absl::ResourceExhaustedError("zlib has no memory");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream_.avail_in = static_cast<uInt>(data.size());
    int result = Z_OK;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      result = deflate(&stream_, flush);
      RETURN_IF_ERROR(output_->Write(absl::string_view(buffer_.data(), buffer_.size() - stream_.avail_out)));
    } while (stream_.avail_out == 0 || (flush == Z_FINISH && result == Z_OK));
    return absl::OkStatus();
  }

  const std::unique_ptr<Sink> output_;
  std::vector<char> buffer_;
  z_stream stream_ = {};
  bool ok_ = false;
};

class Zstd final : public Sink {
 public:
  explicit Zstd(std::unique_ptr<Sink> output)
      : output_(std::move(output)), buffer_(ZSTD_CStreamOutSize()), stream_(ZSTD_createCCtx()) {
    if (stream_ != nullptr) ZSTD_CCtx_setParameter(stream_, ZSTD_c_checksumFlag, 1);
  }
  ~Zstd() override { ZSTD_freeCCtx(stream_); }

  absl::Status Write(absl::string_view data) override { return Run(data, ZSTD_e_continue); }
  absl::Status Close() override {
    RETURN_IF_ERROR(Run("", ZSTD_e_end));
    return output_->Close();
  }

 private:
  absl::Status Run(absl::string_view data, ZSTD_EndDirective end) {
    if (stream_ == nullptr) return absl::ResourceExhaustedError("zstd has no memory");
    ZSTD_inBuffer input = {data.data(), data.size(), 0};
    for (;;) {
      ZSTD_outBuffer output = {buffer_.data(), buffer_.size(), 0};
      const size_t left = ZSTD_compressStream2(stream_, &output, &input, end);
      if (ZSTD_isError(left) != 0) return absl::InternalError(absl::StrCat("zstd: ", ZSTD_getErrorName(left)));
      RETURN_IF_ERROR(output_->Write(absl::string_view(buffer_.data(), output.pos)));
      if (end == ZSTD_e_end ? left == 0 : input.pos == input.size) return absl::OkStatus();
    }
  }

  const std::unique_ptr<Sink> output_;
  std::vector<char> buffer_;
  ZSTD_CCtx* const stream_;
};

}  // namespace

std::unique_ptr<Source> GzipSource(std::unique_ptr<Source> compressed) {
  return std::make_unique<Gunzip>(std::move(compressed));
}
std::unique_ptr<Source> ZstdSource(std::unique_ptr<Source> compressed) {
  return std::make_unique<Unzstd>(std::move(compressed));
}
std::unique_ptr<Sink> GzipSink(std::unique_ptr<Sink> compressed) { return std::make_unique<Gzip>(std::move(compressed)); }
std::unique_ptr<Sink> ZstdSink(std::unique_ptr<Sink> compressed) { return std::make_unique<Zstd>(std::move(compressed)); }

}  // namespace base::internal
