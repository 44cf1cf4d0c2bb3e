#include "ssg/template/pretty.h"

#include <algorithm>
#include <vector>

#include "base/status_macros.h"
#include "ssg/template/builtins.h"
#include "ssg/template/text.h"

namespace ssg::tmpl {
namespace {

constexpr int kWidth = 80;

class PrettyPrinter {
 public:
  PrettyPrinter(Runtime& runtime, std::string& out) : runtime_(runtime), out_(out) {}

  absl::Status Format(const Value& value, int indent, int allowance, int level) {
    const Runtime::Depth depth(runtime_);
    RETURN_IF_ERROR(depth.Check());
    std::string repr;
    RETURN_IF_ERROR(Repr(value, repr));
    if (static_cast<int>(CodePointCount(repr)) <= kWidth - indent - allowance) {
      out_ += repr;
      return absl::OkStatus();
    }
    switch (value.kind()) {
      case Kind::kDict:
        return FormatDict(value.dict(), indent, allowance, level);
      case Kind::kList:
      case Kind::kTuple:
        return FormatItems(value, indent, allowance, level);
      case Kind::kString:
        if (value.IsMarkup()) break;
        return FormatString(value.text(), indent, allowance, level);
      default:
        break;
    }
    out_ += repr;
    return absl::OkStatus();
  }

 private:
  // repr() with the keys of dicts in order.
  absl::Status Repr(const Value& value, std::string& out) {
    const Runtime::Depth depth(runtime_);
    RETURN_IF_ERROR(depth.Check());
    RETURN_IF_ERROR(runtime_.Spend(1));
    if (value.IsDict()) {
      ASSIGN_OR_RETURN(const auto entries, Sorted(value.dict()));
      out += '{';
      for (size_t i = 0; i < entries.size(); ++i) {
        if (i > 0) out += ", ";
        RETURN_IF_ERROR(Repr(entries[i]->key, out));
        out += ": ";
        RETURN_IF_ERROR(Repr(entries[i]->value, out));
      }
      out += '}';
      return absl::OkStatus();
    }
    if (value.kind() == Kind::kList || value.kind() == Kind::kTuple) {
      const bool is_tuple = value.kind() == Kind::kTuple;
      out += is_tuple ? '(' : '[';
      for (uint32_t i = 0; i < value.list().size; ++i) {
        if (i > 0) out += ", ";
        RETURN_IF_ERROR(Repr(value.list()[i], out));
      }
      if (is_tuple && value.list().size == 1) out += ',';
      out += is_tuple ? ')' : ']';
      return absl::OkStatus();
    }
    return runtime_.AppendRepr(value, out);
  }

  // By key; keys that cannot be compared go by their type's name.
  absl::StatusOr<std::vector<const Dict::Entry*>> Sorted(const Dict& dict) {
    std::vector<const Dict::Entry*> entries;
    for (uint32_t i = 0; i < dict.used; ++i) {
      if (!dict.entries[i].key.IsMissing()) entries.push_back(&dict.entries[i]);
    }
    RETURN_IF_ERROR(runtime_.Spend(static_cast<int64_t>(entries.size())));
    std::stable_sort(entries.begin(), entries.end(), [&](const Dict::Entry* a, const Dict::Entry* b) {
      const absl::StatusOr<int> order = runtime_.Compare(a->key, b->key);
      return order.ok() ? *order < 0 : TypeName(a->key) < TypeName(b->key);
    });
    return entries;
  }

  void NewLine(int indent) {
    out_ += '\n';
    out_.append(static_cast<size_t>(indent), ' ');
  }

  absl::Status FormatDict(const Dict& dict, int indent, int allowance, int level) {
    ASSIGN_OR_RETURN(const auto entries, Sorted(dict));
    out_ += '{';
    for (size_t i = 0; i < entries.size(); ++i) {
      const bool last = i + 1 == entries.size();
      std::string key;
      RETURN_IF_ERROR(Repr(entries[i]->key, key));
      out_ += key;
      out_ += ": ";
      RETURN_IF_ERROR(Format(entries[i]->value, indent + 1 + static_cast<int>(CodePointCount(key)) + 2,
                             last ? allowance + 1 : 1, level + 1));
      if (last) break;
      out_ += ',';
      NewLine(indent + 1);
    }
    out_ += '}';
    return absl::OkStatus();
  }

  absl::Status FormatItems(const Value& value, int indent, int allowance, int level) {
    const bool is_tuple = value.kind() == Kind::kTuple;
    const List& list = value.list();
    const bool single = is_tuple && list.size == 1;
    out_ += is_tuple ? '(' : '[';
    for (uint32_t i = 0; i < list.size; ++i) {
      const bool last = i + 1 == list.size;
      RETURN_IF_ERROR(Format(list[i], indent + 1, last ? allowance + (single ? 2 : 1) : 1, level + 1));
      if (last) break;
      out_ += ',';
      NewLine(indent + 1);
    }
    out_ += single ? ",)" : is_tuple ? ")" : "]";
    return absl::OkStatus();
  }

  static int ReprWidth(absl::string_view text) {
    std::string repr;
    tmpl::AppendRepr(text, repr);
    return static_cast<int>(CodePointCount(repr));
  }

  // Words of a line, each with the space after it.
  static std::vector<absl::string_view> Parts(absl::string_view line) {
    std::vector<absl::string_view> parts;
    while (!line.empty()) {
      size_t end = 0;
      bool in_space = false;
      while (end < line.size()) {
        const CodePoint point = Decode(line.substr(end));
        if (in_space && !IsSpace(point.value)) break;
        in_space = IsSpace(point.value);
        end += point.size;
      }
      parts.push_back(line.substr(0, end));
      line.remove_prefix(end);
    }
    return parts;
  }

  absl::Status FormatString(absl::string_view text, int indent, int allowance, int level) {
    if (level == 1) {
      ++indent;
      ++allowance;
    }
    const int width = kWidth - indent;
    std::vector<std::string> chunks;
    const auto add = [&](absl::string_view piece) {
      chunks.emplace_back();
      tmpl::AppendRepr(piece, chunks.back());
    };
    const std::vector<absl::string_view> lines = SplitLines(text, true);
    for (size_t i = 0; i < lines.size(); ++i) {
      const bool last_line = i + 1 == lines.size();
      if (ReprWidth(lines[i]) <= width - (last_line ? allowance : 0)) {
        add(lines[i]);
        continue;
      }
      const std::vector<absl::string_view> parts = Parts(lines[i]);
      std::string current;
      for (size_t j = 0; j < parts.size(); ++j) {
        const bool last = last_line && j + 1 == parts.size();
        const std::string candidate = current + std::string(parts[j]);
        if (ReprWidth(candidate) > width - (last ? allowance : 0)) {
          if (!current.empty()) add(current);
          current = std::string(parts[j]);
        } else {
          current = candidate;
        }
        RETURN_IF_ERROR(runtime_.Spend(static_cast<int64_t>(1 + candidate.size() / 64)));
      }
      if (!current.empty()) add(current);
    }
    const bool parenthesised = level == 1 && chunks.size() > 1;
    if (parenthesised) out_ += '(';
    for (size_t i = 0; i < chunks.size(); ++i) {
      if (i > 0) NewLine(indent);
      out_ += chunks[i];
    }
    if (parenthesised) out_ += ')';
    return absl::OkStatus();
  }

  Runtime& runtime_;
  std::string& out_;
};

}  // namespace

absl::Status AppendPretty(Runtime& runtime, const Value& value, std::string& out) {
  return PrettyPrinter(runtime, out).Format(value, 0, 0, 1);
}

}  // namespace ssg::tmpl
