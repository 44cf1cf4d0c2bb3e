// The engine's own objects: what `loop`, macros, imported templates, `self`,
// `super` and namespaces are.
//
// Life:    in the arena of one render. They change while it runs, although
//          values hold them as const.
// Threads: one render belongs to one thread.
#ifndef SSG_TEMPLATE_VM_OBJECT_H_
#define SSG_TEMPLATE_VM_OBJECT_H_

#include <string>
#include <vector>

#include "ssg/template/object.h"
#include "ssg/template/program.h"
#include "ssg/template/vm.h"

namespace ssg::tmpl {

// The `loop` of a for, and the iteration itself.
class LoopObject : public Object {
 public:
  struct Setup {
    const Frame* outer = nullptr;     // Where the loop runs.
    const Unit* filter = nullptr;     // for ... if
    const Unit* recursive = nullptr;  // The loop's own unit if it is recursive.
    const Frame* recursive_outer = nullptr;
    int depth0 = 0;
  };

  // `source` is list-like or a range.
  LoopObject(const Setup& setup, const Value& source) : setup_(setup), source_(source) {}

  // False at the end.
  absl::StatusOr<bool> Next(Vm& vm, Value& item) const;
  void MarkRan() const { ran_ = true; }
  bool ran() const { return ran_; }
  const Setup& setup() const { return setup_; }

  absl::string_view TypeName() const override { return "LoopContext"; }
  absl::StatusOr<Value> Attribute(Symbol name, Runtime& runtime) const override;
  absl::StatusOr<Value> Call(Runtime& runtime, const Arguments& arguments) const override;
  std::string ToString() const override;
  bool IsCallable() const override { return true; }
  std::vector<absl::string_view> AttributeNames() const override;

  absl::StatusOr<int64_t> CountAll(Vm& vm) const;
  Value Cycle(absl::Span<const Value> items) const;
  absl::StatusOr<bool> Changed(Runtime& runtime, const Value& value) const;

 private:
  bool RawNext(Value& item) const;
  absl::StatusOr<bool> Fetch(Vm& vm, Value& item) const;
  absl::StatusOr<bool> Peek(Vm& vm) const;

  mutable Setup setup_;
  mutable Value source_;
  mutable int64_t at_ = 0;  // Of the next item in source_.
  mutable int64_t index0_ = -1;
  mutable int64_t length_ = -1;
  mutable Value before_;
  mutable Value current_;
  mutable Value after_;  // Peeked at.
  mutable Value last_changed_;
  mutable bool ran_ = false;
};

class MacroObject : public Object {
 public:
  MacroObject(const MacroShape& shape, const Frame& frame) : shape_(shape), frame_(frame) {}

  const MacroShape& shape() const { return shape_; }
  // A copy of where it was defined; its slots are those of the arena.
  const Frame& frame() const { return frame_; }

  absl::string_view TypeName() const override { return "Macro"; }
  absl::StatusOr<Value> Attribute(Symbol name, Runtime& runtime) const override;
  absl::StatusOr<Value> Call(Runtime& runtime, const Arguments& arguments) const override {
    return static_cast<Vm&>(runtime).CallMacro(*this, arguments);
  }
  std::string ToString() const override;
  bool IsCallable() const override { return true; }
  std::vector<absl::string_view> AttributeNames() const override {
    return {"name", "arguments", "catch_kwargs", "catch_varargs", "caller"};
  }

 private:
  const MacroShape& shape_;
  const Frame frame_;
};

// An imported template: its exported names, and its text when printed.
class ModuleObject : public Object {
 public:
  ModuleObject(absl::string_view name, const Dict& names, absl::string_view body)
      : name_(name), names_(names), body_(body) {}

  absl::string_view name() const { return name_; }
  absl::string_view body() const { return body_; }
  absl::string_view TypeName() const override { return "TemplateModule"; }
  absl::StatusOr<Value> Attribute(Symbol name, Runtime& runtime) const override;
  std::string ToString() const override { return std::string(body_); }
  bool IsMarkup() const override { return true; }
  std::vector<absl::string_view> AttributeNames() const override;

 private:
  const absl::string_view name_;
  const Dict& names_;
  const absl::string_view body_;
};

// `super`, and `self.name`: one version of a block.
class BlockObject : public Object {
 public:
  BlockObject(const BlockStack& block, size_t version, Context& context)
      : block_(block), version_(version), context_(context) {}

  absl::string_view TypeName() const override { return "BlockReference"; }
  absl::StatusOr<Value> Attribute(Symbol name, Runtime& runtime) const override;
  absl::StatusOr<Value> Call(Runtime& runtime, const Arguments& arguments) const override;
  bool IsCallable() const override { return true; }

  // The version after `version`, or undefined.
  static Value Super(Vm& vm, const BlockStack& block, size_t version, Context& context);

 private:
  const BlockStack& block_;
  const size_t version_;
  Context& context_;
};

// `self`.
class SelfObject : public Object {
 public:
  explicit SelfObject(Context& context) : context_(context) {}
  absl::string_view TypeName() const override { return "TemplateReference"; }
  absl::StatusOr<Value> Attribute(Symbol name, Runtime& runtime) const override;
  std::vector<absl::string_view> AttributeNames() const override;

 private:
  Context& context_;
};

class NamespaceObject : public Object {
 public:
  explicit NamespaceObject(Dict& names) : names_(names) {}
  absl::string_view TypeName() const override { return "Namespace"; }
  absl::StatusOr<Value> Attribute(Symbol name, Runtime& runtime) const override;
  void Set(Arena& arena, Symbol name, const Value& value) const { tmpl::Set(arena, names_, name, value); }
  std::vector<absl::string_view> AttributeNames() const override;

 private:
  Dict& names_;
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_VM_OBJECT_H_
