// Jinja2's filters on text.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ssg/template/builtins.h"
#include "ssg/template/escape.h"
#include "ssg/template/percent_format.h"
#include "ssg/template/text.h"
#include "ssg/template/text_wrap.h"

namespace ssg::tmpl {
namespace {

// A filter that maps the text alone and keeps it markup.
NativeFunction Mapping(std::string (*map)(absl::string_view)) {
  return [map](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const Value text, runtime.Str(call[0]));
    return runtime.NewString(map(text.text()), text.tag());
  };
}

bool BeginsWord(int32_t code) {
  return code == '-' || code == '(' || code == '{' || code == '[' || code == '<' || IsSpace(code);
}

// Not str.title(): words begin after space and opening brackets only.
std::string TitleWords(absl::string_view text) {
  std::string out;
  std::string word;
  const auto flush = [&] {
    if (word.empty()) return;
    const uint32_t first = Decode(word).size;
    out += Upper(absl::string_view(word).substr(0, first));
    out += Lower(absl::string_view(word).substr(first));
    word.clear();
  };
  for (absl::string_view point : SplitCodePoints(text)) {
    if (BeginsWord(Decode(point).value)) {
      flush();
      out.append(point.data(), point.size());
    } else {
      word.append(point.data(), point.size());
    }
  }
  flush();
  return out;
}

absl::StatusOr<Value> Trim(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value text, runtime.Str(call[0]));
  if (!call.Has(1) || call[1].IsNone()) return Value::String(StripSpace(text.text()), text.tag());
  if (!call[1].IsString()) return absl::InvalidArgumentError("strip arg must be None or str");
  return Value::String(Strip(text.text(), call[1].text()), text.tag());
}

absl::StatusOr<Value> Center(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value text, runtime.Str(call[0]));
  ASSIGN_OR_RETURN(const int64_t width, IntArgument(runtime, call, 1, 80));
  const int64_t size = static_cast<int64_t>(CodePointCount(text.text()));
  if (width <= size) return text;
  RETURN_IF_ERROR(runtime.Spend(width - size));
  const int64_t missing = width - size;
  const int64_t left = missing / 2 + (missing & width & 1);
  return runtime.NewString(absl::StrCat(std::string(static_cast<size_t>(left), ' '), text.text(),
                                        std::string(static_cast<size_t>(missing - left), ' ')),
                           text.tag());
}

// str.replace with at most `count` replacements if that is not negative.
absl::StatusOr<std::string> ReplaceText(Runtime& runtime, absl::string_view text, absl::string_view from,
                                        absl::string_view to, int64_t count) {
  std::string out;
  size_t at = 0;
  for (int64_t done = 0; count < 0 || done < count; ++done) {
    size_t found = 0;
    if (from.empty()) {
      // Between all code points, and at both ends.
      if (at > text.size() || (done > 0 && at == text.size())) break;
      found = done == 0 ? 0 : at + Decode(text.substr(at)).size;
    } else {
      found = text.find(from, at);
      if (found == absl::string_view::npos) break;
    }
    out.append(text.data() + at, found - at);
    out.append(to.data(), to.size());
    at = found + from.size();
    RETURN_IF_ERROR(runtime.Spend(static_cast<int64_t>(1 + to.size() / 64)));
  }
  out.append(text.data() + at, text.size() - at);
  return out;
}

absl::StatusOr<Value> Replace(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const int64_t count, IntArgument(runtime, call, 3, -1));
  ASSIGN_OR_RETURN(Value text, runtime.Str(call[0]));
  ASSIGN_OR_RETURN(Value from, runtime.Str(call[1]));
  ASSIGN_OR_RETURN(Value to, runtime.Str(call[2]));
  if (runtime.autoescape()) {
    if (from.IsMarkup() || (to.IsMarkup() && !text.IsMarkup())) {
      ASSIGN_OR_RETURN(text, runtime.Escape(text));
    }
    // Markup.replace escapes what it puts in and what it looks for.
    if (text.IsMarkup()) {
      ASSIGN_OR_RETURN(from, runtime.Escape(from));
      ASSIGN_OR_RETURN(to, runtime.Escape(to));
    }
  }
  ASSIGN_OR_RETURN(const std::string replaced, ReplaceText(runtime, text.text(), from.text(), to.text(), count));
  const bool is_markup = runtime.autoescape() && text.IsMarkup();
  return runtime.NewString(replaced, is_markup ? Tag::kMarkup : Tag::kPlain);
}

absl::StatusOr<Value> Truncate(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const int64_t length, IntArgument(runtime, call, 1, 255));
  ASSIGN_OR_RETURN(const bool kill_words, BoolArgument(runtime, call, 2, false));
  ASSIGN_OR_RETURN(Value end, TextArgument(runtime, call, 3, "..."));
  ASSIGN_OR_RETURN(const int64_t leeway, IntArgument(runtime, call, 4, 5));
  const int64_t end_size = static_cast<int64_t>(CodePointCount(end.text()));
  if (length < end_size) {
    return absl::InvalidArgumentError(absl::StrCat("expected length >= ", end_size, ", got ", length));
  }
  if (leeway < 0) return absl::InvalidArgumentError("expected leeway >= 0");
  ASSIGN_OR_RETURN(const int64_t size, runtime.Length(call[0]));
  if (size <= length + leeway) return call[0];
  if (!call[0].IsString()) return absl::InvalidArgumentError("truncate wants a str");
  const Value& text = call[0];
  absl::string_view kept = SubText(text.text(), 0, static_cast<size_t>(length - end_size));
  if (!kill_words) kept = kept.substr(0, kept.rfind(' '));
  const Value start = Value::String(kept, text.tag());
  return runtime.Arithmetic(Operator::kAdd, start, end);
}

absl::StatusOr<Value> Indent(Runtime& runtime, const BoundArguments& call) {
  const Value& text = call[0];
  if (text.IsUndefined()) return runtime.UndefinedError(text);
  if (!text.IsString()) return absl::InvalidArgumentError("indent wants a str");
  ASSIGN_OR_RETURN(const bool first, BoolArgument(runtime, call, 2, false));
  ASSIGN_OR_RETURN(const bool blank, BoolArgument(runtime, call, 3, false));
  std::string indention;
  if (call.Has(1) && call[1].IsString()) {
    indention = std::string(call[1].text());
  } else {
    ASSIGN_OR_RETURN(const int64_t width, IntArgument(runtime, call, 1, 4));
    RETURN_IF_ERROR(runtime.Spend(std::max<int64_t>(width, 0)));
    indention = std::string(static_cast<size_t>(std::max<int64_t>(width, 0)), ' ');
  }
  const std::string whole = absl::StrCat(text.text(), "\n");
  std::string out = first ? indention : "";
  bool is_first = true;
  for (absl::string_view line : SplitLines(whole)) {
    if (!is_first) {
      out += '\n';
      if (blank || !line.empty()) out += indention;
    }
    is_first = false;
    out.append(line.data(), line.size());
    RETURN_IF_ERROR(runtime.Spend(static_cast<int64_t>(1 + indention.size() / 64)));
  }
  return runtime.NewString(out, text.tag());
}

absl::StatusOr<Value> WordWrap(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value text, runtime.Str(call[0]));
  WrapOptions options;
  ASSIGN_OR_RETURN(options.width, IntArgument(runtime, call, 1, 79));
  ASSIGN_OR_RETURN(options.break_long_words, BoolArgument(runtime, call, 2, true));
  ASSIGN_OR_RETURN(options.break_on_hyphens, BoolArgument(runtime, call, 4, true));
  absl::string_view separator = runtime.environment().options().syntax.newline_sequence;
  if (call.Has(3) && !call[3].IsNone()) {
    ASSIGN_OR_RETURN(const Value wrap, runtime.Str(call[3]));
    separator = wrap.text();
  }
  if (options.width <= 0) {
    return absl::InvalidArgumentError(absl::StrCat("invalid width ", options.width, " (must be > 0)"));
  }
  std::string out;
  bool is_first = true;
  for (absl::string_view line : SplitLines(text.text())) {
    bool is_first_piece = true;
    if (!is_first) absl::StrAppend(&out, separator);
    for (const std::string& piece : WrapText(line, options)) {
      if (!is_first_piece) absl::StrAppend(&out, separator);
      absl::StrAppend(&out, piece);
      is_first_piece = false;
      RETURN_IF_ERROR(runtime.Spend(1));
    }
    is_first = false;
  }
  return runtime.NewString(out);
}

absl::StatusOr<Value> WordCount(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value text, runtime.Str(call[0]));
  int64_t count = 0;
  bool in_word = false;
  for (absl::string_view point : SplitCodePoints(text.text())) {
    const int32_t code = Decode(point).value;
    const bool is_word = code == '_' || IsAlphanumeric(code);
    if (is_word && !in_word) ++count;
    in_word = is_word;
  }
  return Value::Int(count);
}

absl::StatusOr<Value> Format(Runtime& runtime, const BoundArguments& call) {
  ASSIGN_OR_RETURN(const Value format, runtime.Str(call[0]));
  if (!call.rest.empty() && !call.named.empty()) {
    return absl::InvalidArgumentError("can't handle positional and keyword arguments at the same time");
  }
  if (call.named.empty()) {
    return PercentFormat(runtime, format, runtime.NewListOf(call.rest, Kind::kTuple));
  }
  Dict* dict = NewDict(runtime.arena(), call.named.size());
  for (const NamedValue& named : call.named) {
    Set(runtime.arena(), *dict, Value::String(named.name.text()), named.value);
  }
  return PercentFormat(runtime, format, Value::Of(dict));
}

absl::StatusOr<Value> ToText(Runtime& runtime, const BoundArguments& call) { return runtime.Str(call[0]); }

}  // namespace

void AddTextFilters(Environment& environment) {
  environment.AddFilter("upper", "s", Mapping(Upper));
  environment.AddFilter("lower", "s", Mapping(Lower));
  environment.AddFilter("capitalize", "s", Mapping(Capitalize));
  environment.AddFilter("title", "s", [](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
    ASSIGN_OR_RETURN(const Value text, runtime.Str(call[0]));
    return runtime.NewString(TitleWords(text.text()));  // "".join() makes plain text.
  });
  environment.AddFilter("trim", "value chars?", Trim);
  environment.AddFilter("center", "value width?", Center);
  environment.AddFilter("replace", "s old new count?", Replace);
  environment.AddFilter("truncate", "s length? killwords? end? leeway?", Truncate);
  environment.AddFilter("indent", "s width? first? blank?", Indent);
  environment.AddFilter("wordwrap", "s width? break_long_words? wrapstring? break_on_hyphens?", WordWrap);
  environment.AddFilter("wordcount", "s", WordCount);
  environment.AddFilter("format", "value *args **kwargs", Format);
  environment.AddFilter("string", "value", ToText);
}

}  // namespace ssg::tmpl
