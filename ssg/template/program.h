// A Program is a compiled template: bytecode for a stack machine and its tables.
//
// Shape:   units (the template itself, its blocks, macros, call blocks,
//          recursive loops and loop filters), each a list of 8-byte
//          instructions over numbered slots. A unit inside another reads the
//          slots of the units around it, `depth` frames out.
// Life:    immutable; keeps pointers into the Environment it was made with.
// Threads: may be run by any number of threads.
#ifndef SSG_TEMPLATE_PROGRAM_H_
#define SSG_TEMPLATE_PROGRAM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "ssg/template/object.h"
#include "ssg/template/value.h"

namespace ssg::tmpl {

// X(name): `slot`, `depth` and `operand` of an instruction are named in the comment.
#define SSG_TEMPLATE_OPCODES(X)                                                      \
  X(Text)      /* emit texts[operand] */                                             \
  X(Emit)      /* emit the top; depth: an EmitMode */                                \
  X(Constant)  /* push constants[operand] */                                         \
  X(Load)      /* push own slot; undefined symbols[operand] if missing */            \
  X(LoadOuter) /* the same of the frame `depth` out */                               \
  X(Store)     /* pop into own slot */                                               \
  X(Clear)     /* own slot becomes missing */                                        \
  X(Resolve)   /* own slot = context variable symbols[operand] */                    \
  X(Alias)     /* own slot = slot `operand` of the frame `depth` out */              \
  X(Export)    /* context variable symbols[operand] = slot; depth: public */         \
  X(Pop)                                                                             \
  X(Binary) /* depth: Operator */                                                    \
  X(Unary)  /* depth: Operator */                                                    \
  X(Not)                                                                             \
  X(Compare)         /* depth: Operator */                                           \
  X(CompareChain)    /* as Compare; false: push it and jump to operand */            \
  X(Concat)          /* slot: count; depth: an EmitMode */                           \
  X(Jump)            /* to operand */                                                \
  X(JumpIfFalse)     /* pop */                                                       \
  X(JumpIfFalseKeep) /* keep when jumping, else pop */                               \
  X(JumpIfTrueKeep)                                                                  \
  X(JumpUnlessMissing) /* own slot */                                                \
  X(BuildList)         /* operand: count */                                          \
  X(BuildTuple)                                                                      \
  X(BuildDict)    /* operand: count of pairs */                                      \
  X(Unpack)       /* pop, push operand items, first on top */                        \
  X(GetAttribute) /* symbols[operand] */                                             \
  X(GetItem)                                                                         \
  X(GetSlice)           /* object, start, stop, step */                              \
  X(SetNamespace)       /* pop into attribute symbols[operand] of slot, depth out */ \
  X(Call)               /* calls[operand] */                                         \
  X(CallMethod)         /* calls[operand], by its name */                            \
  X(Filter)             /* calls[operand] */                                         \
  X(Test)               /* calls[operand] */                                         \
  X(UndefinedChoice)    /* push what a conditional without else yields */            \
  X(UndefinedParameter) /* slot = undefined parameter symbols[operand] */            \
  X(ForBegin)           /* pop iterable into loop slot; operand: ForShape */         \
  X(ForNext)            /* push next item of loop slot, or jump to operand */        \
  X(ForMark)            /* the loop in slot ran through a body */                    \
  X(ForElse)            /* jump to operand if the loop in slot ran */                \
  X(LoopCall)           /* pop iterable, run recursive unit operand, emit */         \
  X(Return)                                                                          \
  X(ReturnValue)    /* pop; the loop filter's answer */                              \
  X(CaptureBegin)   /* push the output position */                                   \
  X(CaptureEnd)     /* pop it, push the text since; depth: an EmitMode */            \
  X(Macro)          /* push a macro of macros[operand] */                            \
  X(Block)          /* run block symbols[operand]; depth: scoped; slot: locals */    \
  X(RequireBlock)   /* fails if nobody overrides block symbols[operand] */           \
  X(Self)           /* slot = the template reference `self` */                       \
  X(Super)          /* slot = `super` of block symbols[operand] */                   \
  X(Extends)        /* pop the parent template */                                    \
  X(JumpIfExtended) /* to operand */                                                 \
  X(RenderParent)   /* if there is one */                                            \
  X(Include)        /* pop name(s); includes[operand] */                             \
  X(Import)         /* pop name, push module; includes[operand] */                   \
  X(FromImport)     /* top module's symbols[operand], or undefined, into slot */     \
  X(MarkSafe)       /* the top becomes markup if the context escapes */              \
  X(Autoescape)     /* pop; old setting into slot */                                 \
  X(RestoreAutoescape)                                                               \
  X(Fail) /* with constants[operand] as the message */

enum class Opcode : uint8_t {
#define SSG_TEMPLATE_OPCODE(name) k##name,
  SSG_TEMPLATE_OPCODES(SSG_TEMPLATE_OPCODE)
#undef SSG_TEMPLATE_OPCODE
};

// How values become text: decided when compiling, except after an
// {% autoescape %} whose argument is not a literal.
enum class EmitMode : uint8_t { kPlain, kEscape, kByContext };

struct Instruction {
  Opcode opcode = Opcode::kPop;
  uint8_t depth = 0;
  uint16_t slot = 0;
  uint32_t operand = 0;
};
static_assert(sizeof(Instruction) == 8);

// What lies on the stack for a call: the callee or operand, then positional
// arguments, values of `keywords`, *args and **kwargs.
struct CallShape {
  const Function* function = nullptr;  // Filters and tests.
  std::string unknown;                 // Message if there is no such filter or test.
  Symbol name;                         // CallMethod.
  uint32_t positional = 0;
  std::vector<Symbol> keywords;
  bool has_args = false;
  bool has_kwargs = false;

  uint32_t Count() const { return positional + static_cast<uint32_t>(keywords.size()) + has_args + has_kwargs; }
};

struct LocalName {
  Symbol name;
  uint8_t depth = 0;
  uint16_t slot = 0;
};
using LocalNames = std::vector<LocalName>;

struct ForShape {
  int32_t filter_unit = -1;
  bool recursive = false;
};

struct IncludeShape {
  bool ignore_missing = false;
  bool with_context = false;
  uint32_t locals = 0;
};

struct MacroShape {
  uint32_t unit = 0;
  Symbol name;                     // Without text for the body of a call block.
  std::vector<Symbol> parameters;  // Their slots are 0, 1, ...
  bool catches_kwargs = false;     // Slots follow in the order caller, kwargs, varargs.
  bool catches_varargs = false;
  bool takes_caller = false;
};

struct Unit {
  std::string what;  // "in macro 'card'", for messages.
  std::vector<Instruction> code;
  std::vector<uint32_t> offsets;  // Where in the source each instruction comes from.
  uint32_t slot_count = 0;
  uint32_t stack_max = 0;
  bool has_closures = false;  // Units inside read its slots, maybe after it ended.
};

class Program {
 public:
  std::string name;
  std::string source;  // Normalised; texts point into it.
  bool autoescape = false;
  Arena arena;
  std::vector<absl::string_view> texts;
  std::vector<Value> constants;
  std::vector<Symbol> symbols;
  std::vector<CallShape> calls;
  std::vector<LocalNames> locals;
  std::vector<ForShape> fors;
  std::vector<IncludeShape> includes;
  std::vector<MacroShape> macros;
  std::vector<Unit> units;                          // The first is the template itself.
  std::vector<std::pair<Symbol, uint32_t>> blocks;  // Name, unit.
  std::vector<std::string> references;
};

}  // namespace ssg::tmpl

#endif  // SSG_TEMPLATE_PROGRAM_H_
