#include "marc/query/edit.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "marc/query/predicate.h"
#include "marc/query/spec.h"

namespace marc {

struct EditScript::Command {
  enum class Kind { kDelete, kSet, kAppend, kAdd, kReplace, kRename, kSort };
  Kind kind = Kind::kSort;
  Spec spec;
  std::string value;  // or the new tag or code
  std::shared_ptr<const re2::RE2> regex;
  bool global = false;
  absl::optional<Predicate> condition;
};

namespace {

using Command = EditScript::Command;

absl::Status Wrong(absl::string_view expected, absl::string_view at) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", expected, " at '", at.substr(0, 24), "'"));
}

// "/regex/text/flags".
absl::Status ParseReplacement(absl::string_view* rest, Command* command) {
  if (!absl::ConsumePrefix(rest, "/")) return Wrong("/REGEX/TEXT/", *rest);
  std::string parts[2];
  for (std::string& part : parts) {
    size_t i = 0;
    for (; i < rest->size() && (*rest)[i] != '/'; ++i) {
      if ((*rest)[i] == '\\' && i + 1 < rest->size()) {
        if ((*rest)[i + 1] != '/') part += '\\';
        ++i;
      }
      part += (*rest)[i];
    }
    if (i == rest->size()) return Wrong("'/'", *rest);
    rest->remove_prefix(i + 1);
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  while (!rest->empty() && ((*rest)[0] == 'g' || (*rest)[0] == 'i')) {
    if ((*rest)[0] == 'g') command->global = true;
    if ((*rest)[0] == 'i') options.set_case_sensitive(false);
    rest->remove_prefix(1);
  }
  command->regex = std::make_shared<const re2::RE2>(parts[0], options);
  command->value = parts[1];
  std::string error;
  if (!command->regex->ok()) {
    return absl::InvalidArgumentError(absl::StrCat("bad regular expression: ", command->regex->error()));
  }
  if (!command->regex->CheckRewriteString(command->value, &error)) return absl::InvalidArgumentError(error);
  return absl::OkStatus();
}

// Content as people write it: "$" for the delimiter, "\" for blank indicators.
std::string FieldContent(absl::string_view tag, absl::string_view text) {
  if (IsControlTag(PackTag(tag))) return std::string(text);
  std::string content = absl::StrReplaceAll(text, {{"$", "\x1F"}});
  for (size_t i = 0; i < std::min<size_t>(2, content.size()); ++i) {
    if (content[i] == '\\' || content[i] == '_') content[i] = ' ';
  }
  return content;
}

absl::Status ParseSet(absl::string_view* rest, Command* command) {
  ASSIGN_OR_RETURN(command->spec, Spec::ParsePrefix(rest));
  SkipBlanks(rest);
  command->kind = absl::ConsumePrefix(rest, "+=") ? Command::Kind::kAppend : Command::Kind::kSet;
  if (command->kind == Command::Kind::kSet && !absl::ConsumePrefix(rest, "=")) return Wrong("= or +=", *rest);
  SkipBlanks(rest);
  ASSIGN_OR_RETURN(command->value, ParseStringPrefix(rest));
  const Spec& spec = command->spec;
  if (spec.has_range() && command->value.size() != spec.last() - spec.first() + 1) {
    return absl::InvalidArgumentError(absl::StrCat("'", command->value, "' has ", command->value.size(),
                                                   " bytes, the range ", spec.last() - spec.first() + 1));
  }
  if (spec.is_leader() && (!spec.has_range() || spec.last() >= kLeaderSize)) {
    return absl::InvalidArgumentError("the leader is set by positions 0 to 23, e.g. leader/9=a");
  }
  if (spec.indicator() != 0 && command->value.size() != 1)
    return Wrong("one character for an indicator", command->value);
  if (command->kind == Command::Kind::kAppend && spec.codes().size() != 1)
    return Wrong("one subfield for +=", spec.tag());
  return absl::OkStatus();
}

absl::Status ParseRename(absl::string_view* rest, Command* command) {
  ASSIGN_OR_RETURN(command->spec, Spec::ParsePrefix(rest));
  SkipBlanks(rest);
  const size_t size = command->spec.has_subfields() ? 2 : 3;
  if (rest->size() < size || (size == 2 && (*rest)[0] != '$')) return Wrong(size == 2 ? "$c" : "a tag", *rest);
  command->value = std::string(size == 2 ? rest->substr(1, 1) : rest->substr(0, 3));
  for (const char c : command->value) {
    if (!IsSubfieldCode(c)) return Wrong("graphic ASCII", *rest);
  }
  rest->remove_prefix(size);
  return absl::OkStatus();
}

absl::StatusOr<Command> ParseCommand(absl::string_view line) {
  Command command;
  absl::string_view rest = line;
  const auto keyword = [&](absl::string_view word) {
    if (!absl::StartsWith(rest, word) || (rest.size() > word.size() && rest[word.size()] != ' ')) return false;
    rest.remove_prefix(word.size());
    SkipBlanks(&rest);
    return true;
  };
  if (keyword("delete")) {
    command.kind = Command::Kind::kDelete;
    ASSIGN_OR_RETURN(command.spec, Spec::ParsePrefix(&rest));
    if (command.spec.is_leader() || command.spec.has_range() || command.spec.indicator() != 0) {
      return Wrong("fields or subfields to delete", line);
    }
  } else if (keyword("add")) {
    command.kind = Command::Kind::kAdd;
    if (rest.size() < 4) return Wrong("a tag and a value", rest);
    ASSIGN_OR_RETURN(command.spec, Spec::Parse(rest.substr(0, 3)));
    rest.remove_prefix(3);
    SkipBlanks(&rest);
    ASSIGN_OR_RETURN(command.value, ParseStringPrefix(&rest));
    command.value = FieldContent(command.spec.tag(), command.value);
  } else if (keyword("replace")) {
    command.kind = Command::Kind::kReplace;
    ASSIGN_OR_RETURN(command.spec, Spec::ParsePrefix(&rest));
    SkipBlanks(&rest);
    RETURN_IF_ERROR(ParseReplacement(&rest, &command));
  } else if (keyword("rename")) {
    command.kind = Command::Kind::kRename;
    RETURN_IF_ERROR(ParseRename(&rest, &command));
  } else if (keyword("sort")) {
    command.kind = Command::Kind::kSort;
  } else {
    if (!keyword("set") && !absl::StrContains(line, '=')) {
      return Wrong("delete, set, add, replace, rename, sort, or SPEC=VALUE", line);
    }
    RETURN_IF_ERROR(ParseSet(&rest, &command));
  }
  SkipBlanks(&rest);
  if (absl::ConsumePrefix(&rest, "if ")) {
    ASSIGN_OR_RETURN(command.condition, Predicate::Parse(rest));
    rest = absl::string_view();
  }
  if (!rest.empty()) return Wrong("'if' or the end of the command", rest);
  return command;
}

// Rebuilds a data field, each subfield passed through `change`, which may drop it.
template <typename Change>
std::string RewriteSubfields(const FieldView& field, Change change) {
  std::string content(field.content().substr(0, std::min<size_t>(2, field.size)));
  SubfieldIterator it = DataFieldView(field).subfields();
  SubfieldView subfield;
  while (it.Next(&subfield)) {
    char code = subfield.code;
    std::string data(subfield.data);
    if (!change(&code, &data)) continue;
    content += kSubfieldDelimiter;
    if (code != '\0') content += code;
    content += data;
  }
  return content;
}

bool SetField(const Command& command, const FieldView& field, std::string* content) {
  const Spec& spec = command.spec;
  *content = std::string(field.content());
  if (spec.indicator() != 0) {
    if (field.is_control() || field.size < 2) return false;
    (*content)[static_cast<size_t>(spec.indicator()) - 1] = command.value[0] == '_' ? ' ' : command.value[0];
  } else if (spec.has_subfields()) {
    if (field.is_control()) return false;
    bool found = false;
    if (command.kind == Command::Kind::kSet) {
      *content = RewriteSubfields(field, [&](char* code, std::string* data) {
        if (spec.MatchesCode(*code)) {
          *data = command.value;
          found = true;
        }
        return true;
      });
    }
    if (!found && !spec.codes().empty()) {
      *content += absl::StrCat("\x1F", spec.codes().substr(0, 1), command.value);
    }
  } else if (spec.has_range()) {
    if (content->size() <= spec.last()) content->resize(spec.last() + 1, ' ');
    content->replace(spec.first(), command.value.size(), command.value);
  } else {
    *content = FieldContent(field.tag(), command.value);
  }
  return true;
}

bool ReplaceIn(const Command& command, std::string* data) {
  return command.global ? re2::RE2::GlobalReplace(data, *command.regex, command.value) > 0
                        : re2::RE2::Replace(data, *command.regex, command.value);
}

bool EditField(const Command& command, const FieldView& field, std::string* content) {
  switch (command.kind) {
    case Command::Kind::kDelete:
      *content = RewriteSubfields(field, [&](char* code, std::string*) { return !command.spec.MatchesCode(*code); });
      return true;
    case Command::Kind::kSet:
    case Command::Kind::kAppend:
      return SetField(command, field, content);
    case Command::Kind::kReplace:
      if (field.is_control()) {
        *content = std::string(field.content());
        return ReplaceIn(command, content);
      }
      *content = RewriteSubfields(field, [&](char* code, std::string* data) {
        if (!command.spec.has_subfields() || command.spec.MatchesCode(*code)) ReplaceIn(command, data);
        return true;
      });
      return true;
    case Command::Kind::kRename:
      *content = RewriteSubfields(field, [&](char* code, std::string*) {
        if (command.spec.MatchesCode(*code)) *code = command.value[0];
        return true;
      });
      return true;
    default:
      return false;
  }
}

bool ApplyToFields(const Command& command, Record* record) {
  std::vector<size_t> indexes;
  command.spec.ForEachField(record->view(), [&](size_t i) { indexes.push_back(i); });
  const bool whole = !command.spec.has_subfields();
  bool changed = false;
  // From the back, so that removing leaves the other indexes right.
  for (auto it = indexes.rbegin(); it != indexes.rend(); ++it) {
    const FieldView field = record->fields()[*it];
    if (command.kind == Command::Kind::kDelete && whole) {
      record->RemoveField(*it);
      changed = true;
      continue;
    }
    if (command.kind == Command::Kind::kRename && whole) {
      record->RenameField(*it, command.value);
      changed = true;
      continue;
    }
    std::string content;
    if (!whole && field.is_control()) continue;
    if (!EditField(command, field, &content) || content == field.content()) continue;
    changed = true;
    // A data field that lost its last subfield goes, too.
    if (command.kind == Command::Kind::kDelete && content.size() <= 2) {
      record->RemoveField(*it);
    } else {
      record->ReplaceField(*it, content);
    }
  }
  return changed;
}

bool ApplyCommand(const Command& command, Record* record) {
  if (command.condition.has_value() && !command.condition->Matches(record->view())) return false;
  switch (command.kind) {
    case Command::Kind::kSort:
      record->SortFields();
      return true;
    case Command::Kind::kAdd:
      record->AddField(command.spec.tag(), command.value, Placement::kGrouped);
      return true;
    case Command::Kind::kSet:
      if (command.spec.is_leader()) {
        bool changed = false;
        for (size_t i = 0; i < command.value.size(); ++i) {
          changed = changed || record->leader()[command.spec.first() + i] != command.value[i];
          record->SetLeader(command.spec.first() + i, command.value[i]);
        }
        return changed;
      }
      return ApplyToFields(command, record);
    default:
      return ApplyToFields(command, record);
  }
}

}  // namespace

absl::StatusOr<EditScript> EditScript::Parse(absl::string_view text) {
  EditScript script;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    absl::StatusOr<Command> command = ParseCommand(line);
    if (!command.ok()) return base::Annotate(command.status(), absl::StrCat("line ", number));
    script.commands_.push_back(std::make_shared<const Command>(*std::move(command)));
  }
  return script;
}

bool EditScript::Apply(Record* record) const {
  bool changed = false;
  for (const std::shared_ptr<const Command>& command : commands_) changed |= ApplyCommand(*command, record);
  return changed;
}

}  // namespace marc
