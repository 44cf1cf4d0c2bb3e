// The tables of languages that look like code. Long because they are tables. tidy: long-file: word lists
#include "absl/strings/str_split.h"
#include "ssg/highlight/language.h"

namespace ssg::highlight {
namespace {

void Add(Language& language, absl::string_view css_class, absl::string_view words) {
  for (absl::string_view word : absl::StrSplit(words, ' ', absl::SkipEmpty())) language.words[word] = css_class;
}

void After(Language& language, absl::string_view css_class, absl::string_view words) {
  for (absl::string_view word : absl::StrSplit(words, ' ', absl::SkipEmpty())) language.after[word] = css_class;
}

Language Base(absl::string_view name, std::vector<absl::string_view> aliases) {
  Language language;
  language.name = name;
  language.aliases = std::move(aliases);
  language.line_comments = {"//"};
  language.block_comments = {{"/*", "*/"}};
  language.strings = {{"\"", "\"", "s"}, {"'", "'", "sc"}};
  return language;
}

Language C() {
  Language l = Base("c", {"h"});
  l.preprocessor = true;
  l.definition_class = "nf";
  Add(l, "k",
      "auto break case const continue default do else enum extern for goto if register return sizeof static struct "
      "switch typedef union volatile while inline restrict _Alignas _Alignof _Noreturn _Generic _Thread_local "
      "_Static_assert asm");
  Add(l, "kt",
      "int long float short double char unsigned signed void _Bool bool size_t ssize_t int8_t int16_t int32_t int64_t "
      "uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t ptrdiff_t FILE time_t off_t pid_t uid_t gid_t mode_t");
  Add(l, "nb", "NULL true false");
  After(l, "nc", "struct union enum");
  return l;
}

Language Cpp() {
  Language l = C();
  l.name = "cpp";
  l.aliases = {"c++", "cc", "cxx", "hpp"};
  l.string_prefixes = "LuUR8";
  Add(l, "k",
      "alignas alignof and and_eq bitand bitor catch co_await co_return co_yield compl concept const_cast consteval "
      "constexpr constinit decltype delete dynamic_cast explicit export final friend mutable new noexcept not not_eq "
      "operator or or_eq override private protected public reinterpret_cast requires static_assert static_cast "
      "template this thread_local throw try typeid typename using virtual xor xor_eq");
  Add(l, "k", "namespace class");
  Add(l, "kt", "char8_t char16_t char32_t wchar_t");
  Add(l, "n", "size_t ssize_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t FILE time_t");
  Add(l, "nb", "nullptr");
  After(l, "nc", "class struct enum union concept");
  After(l, "nn", "namespace");
  return l;
}

Language Java() {
  Language l = Base("java", {});
  l.strings = {{"\"\"\"", "\"\"\"", "s", "se", true}, {"\"", "\"", "s", ""}, {"'", "'", "sc", ""}};
  l.decorators = true;
  l.after_dot = "na";
  l.definition_class = "nf";
  Add(l, "k",
      "assert break case catch continue default do else finally for if goto instanceof new return switch this throw "
      "try while yield super record var");
  Add(l, "kd",
      "abstract const enum exports extends final implements native private protected public sealed static strictfp "
      "synchronized throws transient volatile class interface");
  Add(l, "kt", "boolean byte char double float int long short void");
  Add(l, "kc", "true false null");
  Add(l, "kn", "import");
  Add(l, "kn", "package");
  After(l, "nc", "class interface enum");
  After(l, "nn", "import package");
  l.operators = "+-*/%&|^~<>=!?:";
  return l;
}

Language JavaScript() {
  Language l = Base("javascript", {"js", "mjs", "jsx", "node"});
  l.strings = {{"\"", "\"", "s2", ""}, {"'", "'", "s1", ""}, {"`", "`", "sb", "sb", true, "${"}};
  l.name_class = "nx";
  l.regexes = true;
  l.word_extra = "$#";
  l.block_comments = {{"/*", "*/"}};
  Add(l, "k",
      "for in while do break return continue switch case default if else throw try catch finally yield await async "
      "new delete typeof instanceof void of this super from as");
  Add(l, "o", "typeof instanceof in void delete new");
  Add(l, "kd", "var let with function class constructor const get set static");
  Add(l, "kr", "abstract boolean extends implements package private protected public interface enum export import");
  Add(l, "k", "static async extends import export");
  Add(l, "kc", "true false null NaN Infinity undefined");
  Add(l, "nb",
      "Array Boolean Date Error Function Math Number Object RegExp String JSON Promise Proxy Map Set Symbol WeakMap "
      "WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent eval isFinite isNaN parseFloat parseInt "
      "document window globalThis Reflect BigInt Intl ArrayBuffer");
  l.integer_class = "mf";
  return l;
}

Language TypeScript() {
  Language l = JavaScript();
  l.name = "typescript";
  l.aliases = {"ts", "tsx"};
  l.decorators = true;
  Add(l, "kr",
      "declare namespace module type readonly abstract interface keyof infer is asserts private protected public");
  Add(l, "kt", "any never unknown string number boolean symbol object bigint");
  return l;
}

Language Go() {
  Language l = Base("go", {"golang"});
  l.strings = {{"\"", "\"", "s", ""}, {"`", "`", "s", "", true}, {"'", "'", "sc", ""}};
  l.name_class = "nx";
  l.operators = "+-*/%&|^~<>=!:";
  l.punctuation = "()[]{};,.";
  Add(l, "k", "break default select case defer go else goto switch fallthrough if range continue for return");
  Add(l, "kd", "var func struct map chan type interface const");
  Add(l, "kn", "import package");
  Add(l, "kc", "true false iota nil");
  Add(l, "kt",
      "uint uint8 uint16 uint32 uint64 int int8 int16 int32 int64 float float32 float64 complex64 complex128 byte rune "
      "string bool error uintptr any");
  Add(l, "nb", "append cap close complex copy delete imag len make new panic print println real recover min max clear");
  return l;
}

Language Rust() {
  Language l = Base("rust", {"rs"});
  l.strings = {{"\"", "\"", "s", "se", true}};
  l.string_prefixes = "br";
  l.operators = "+-*/%&|^~<>=!?@$#";
  l.punctuation = "()[]{};,.:";
  Add(l, "k",
      "as async await box break const continue crate dyn else enum extern for if impl in loop macro match move mut "
      "pub ref return static super struct trait try type union unsafe use where while yield fn");
  Add(l, "kd", "let");
  Add(l, "kc", "true false");
  Add(l, "kn", "mod use crate");
  Add(l, "bp", "self Self");
  Add(l, "kt", "u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 usize isize f32 f64 char str bool");
  Add(l, "nb",
      "Copy Send Sized Sync Drop Fn FnMut FnOnce Box ToOwned Clone PartialEq PartialOrd Eq Ord AsRef AsMut Into From "
      "Default "
      "Iterator Extend IntoIterator DoubleEndedIterator ExactSizeIterator Option Some None Result Ok Err "
      "String ToString Vec drop");
  After(l, "nf", "fn");
  After(l, "nc", "struct enum trait union type");
  After(l, "nn", "mod");
  return l;
}

Language Kotlin() {
  Language l = Base("kotlin", {"kt", "kts"});
  l.strings = {{"\"\"\"", "\"\"\"", "s", "", true, "$"}, {"\"", "\"", "s", "se", false, "$"}, {"'", "'", "sc"}};
  l.decorators = true;
  l.operators = "";
  l.punctuation = "+-*/%&|^~<>=!?:()[]{};,.@";
  Add(l, "k",
      "abstract actual annotation as break by catch companion const constructor continue crossinline data delegate do "
      "dynamic else enum expect external field file final finally for get if infix init inline inner internal in is "
      "lateinit noinline open operator out override param private property protected public receiver reified return "
      "sealed set setparam suspend tailrec this super throw try typealias typeof vararg when where while value");
  Add(l, "kd", "val var fun class interface object");
  Add(l, "k", "fun class interface object import package");
  Add(l, "kc", "true false null");
  After(l, "nf", "fun");
  After(l, "nc", "class interface object");
  After(l, "nv", "val var");
  After(l, "nn", "import package");
  return l;
}

Language Swift() {
  Language l = Base("swift", {});
  l.strings = {{"\"\"\"", "\"\"\"", "s", "se", true}, {"\"", "\"", "s"}};
  l.operators = "+-*/%&|^~<>=!?";
  l.punctuation = "()[]{};,.:";
  Add(l, "k",
      "as break case catch continue default defer do else fallthrough for guard if in is repeat return switch throw "
      "try where while throws rethrows async await Self self super");
  Add(l, "kd",
      "class deinit enum extension func import init internal let operator private protocol public static struct "
      "subscript typealias var open fileprivate final lazy mutating override weak");
  Add(l, "k", "self super Self");
  Add(l, "kc", "true false nil");
  Add(l, "nb", "Int String Double Float Bool Array Dictionary Set Optional Character print min max abs");
  After(l, "nc", "class struct enum protocol extension");
  After(l, "nf", "func");
  After(l, "nv", "let var");
  return l;
}

Language Python() {
  Language l;
  l.name = "python";
  l.aliases = {"py", "python3", "py3"};
  l.line_comments = {"#"};
  l.strings = {
      {"\"\"\"", "\"\"\"", "s2", "se", true}, {"'''", "'''", "s1", "se", true}, {"\"", "\"", "s2"}, {"'", "'", "s1"}};
  l.string_prefixes = "rRbBfFuU";
  l.decorators = true;
  l.operators = "+-*/%&|^~<>=!.@";
  l.punctuation = "()[]{}:;,`";
  Add(l, "k",
      "assert async await break continue del elif else except finally for global if lambda pass raise nonlocal return "
      "try while yield with as match case def class");
  Add(l, "kn", "import from");
  Add(l, "kc", "True False None");
  Add(l, "ow", "in is and or not");
  Add(l, "nb",
      "__import__ abs all any bin bool bytearray breakpoint bytes chr classmethod compile complex delattr dict dir "
      "divmod enumerate eval filter float format frozenset getattr globals hasattr hash hex id input int isinstance "
      "issubclass iter len list locals map max memoryview min next object oct open ord pow print property range repr "
      "reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip aiter anext");
  Add(l, "bp", "self cls Ellipsis NotImplemented");
  Add(l, "ne",
      "ArithmeticError AssertionError AttributeError BaseException EOFError Exception FileNotFoundError ImportError "
      "IndexError IOError KeyError KeyboardInterrupt LookupError MemoryError NameError NotImplementedError OSError "
      "OverflowError PermissionError RuntimeError StopIteration SyntaxError SystemExit TypeError UnicodeDecodeError "
      "UnicodeError ValueError ZeroDivisionError TimeoutError Warning ConnectionError");
  After(l, "nf", "def");
  After(l, "nc", "class");
  After(l, "nn", "import from");
  Add(l, "fm",
      "__init__ __str__ __repr__ __call__ __enter__ __exit__ __eq__ __len__ __iter__ __next__ __getitem__ __setitem__ "
      "__contains__ __hash__ __lt__ __add__ __new__ __getattr__ __setattr__ __del__ __bool__");
  Add(l, "vm", "__name__ __file__ __doc__ __dict__ __class__ __slots__ __module__ __all__");
  return l;
}

Language Ruby() {
  Language l;
  l.name = "ruby";
  l.aliases = {"rb"};
  l.line_comments = {"#"};
  l.block_comments = {{"=begin", "=end"}};
  l.strings = {{"\"", "\"", "s2", "se", true, "#{"}, {"'", "'", "s1", "", true}, {"`", "`", "sb", "se", true, "#{"}};
  l.variable_class = "vi";
  l.variable_marks = "@";
  l.word_extra = "?!";
  l.regexes = true;
  l.operators = "+-*/%&|^~<>=!?:.";
  l.punctuation = "()[]{};,";
  Add(l, "k",
      "alias begin break case def defined? do else elsif end ensure for if in next redo rescue raise retry return "
      "super then undef unless until when while yield class module BEGIN END");
  Add(l, "kp", "private protected public");
  Add(l, "kp", "nil true false self __FILE__ __LINE__");
  Add(l, "kc", "nil true false");
  Add(l, "bp", "self");
  Add(l, "ow", "and or not");
  Add(l, "nb",
      "puts print p require require_relative attr_reader attr_writer attr_accessor include extend format lambda proc "
      "loop "
      "raise freeze sprintf gets exit catch throw Integer Float String Array rand sleep");
  Add(l, "k", "raise");
  After(l, "nf", "def");
  After(l, "nc", "class");
  After(l, "nn", "module");
  return l;
}

Language Lua() {
  Language l;
  l.name = "lua";
  l.line_comments = {"--"};
  l.block_comments = {};
  l.strings = {{"[[", "]]", "s", "", true}, {"\"", "\"", "s2"}, {"'", "'", "s1"}};
  l.operators = "+-*/%^#<>=~.&|";
  l.punctuation = "()[]{}:;,";
  Add(l, "k", "break do else elseif end for if in repeat return then until while goto function");
  Add(l, "kd", "local");
  Add(l, "kr", "function");
  Add(l, "ow", "and or not");
  Add(l, "kc", "true false nil");
  Add(l, "nb",
      "assert collectgarbage dofile error getmetatable ipairs load loadfile next pairs pcall print rawequal rawget "
      "rawlen rawset require select setmetatable tonumber tostring type unpack xpcall _G _VERSION self");
  Add(l, "n", "self");
  After(l, "nf", "function");
  return l;
}

Language Php() {
  Language l = Base("php", {});
  l.line_comments = {"//", "#"};
  l.strings = {{"\"", "\"", "s2", "se", true}, {"'", "'", "s1", "", true}};
  l.variable_class = "nv";
  l.variable_marks = "$";
  l.name_class = "nx";
  l.ignore_case = false;
  l.operators = "+-*/%&|^~<>=!?:.@";
  l.punctuation = "()[]{};,";
  l.call_class = "nf";
  Add(l, "k",
      "and or xor array as break case catch class const continue declare default die do echo else elseif empty "
      "enddeclare endfor endforeach endif endswitch endwhile eval exit extends final finally for foreach function "
      "global goto if implements include include_once instanceof interface isset list namespace new print private "
      "protected public require require_once return static switch throw trait try unset use var while yield abstract "
      "fn match readonly enum self parent");
  Add(l, "kc", "true false null TRUE FALSE NULL");
  Add(l, "kt", "int float string bool void mixed");
  After(l, "nc", "class interface trait extends implements");
  After(l, "nf", "function");
  After(l, "nn", "namespace");
  Add(l, "cp", "");
  return l;
}

Language Sql() {
  Language l;
  l.name = "sql";
  l.aliases = {"postgresql", "mysql", "sqlite", "sqlite3"};
  l.line_comments = {"--"};
  l.block_comments = {{"/*", "*/"}};
  l.strings = {{"'", "'", "s1", "", true}, {"\"", "\"", "ss", "", true}, {"`", "`", "ss", "", true}};
  l.ignore_case = true;
  l.operators = "+*/<>=~!@#%^&|?-";
  l.punctuation = "()[]{};:,.";
  Add(l, "k",
      "abs action add after all alter analyze and any as asc autoincrement avg before begin between both by cascade "
      "case "
      "cast check coalesce collate column commit constraint count create cross current_date current_timestamp cursor "
      "database deallocate declare default delete desc distinct do drop each else end escape except exclude execute "
      "exists "
      "explain extract false fetch filter first for foreign from full function grant group having if ignore immediate "
      "in index inner insert instead intersect into is isnull join key last left length like limit lower materialized "
      "max min "
      "natural no not notnull null nullif nulls offset on only or order outer over partition position prepare primary "
      "procedure range recursive references rename replace restrict returning right rollback row rows schema select "
      "sequence session_user set similar some start substring sum table temp temporary then ties to transaction "
      "trigger "
      "trim true truncate union unique update upper user using values view when where window with without");
  Add(l, "nb",
      "bigint binary bit blob boolean char character date decimal float int int8 integer interval number numeric real "
      "serial smallint text timestamp varchar varying");
  return l;
}

Language Perl() {
  Language l;
  l.name = "perl";
  l.aliases = {"pl"};
  l.line_comments = {"#"};
  l.strings = {{"\"", "\"", "s", "", true}, {"'", "'", "s", "", true}, {"`", "`", "sb", "", true}};
  l.variable_class = "nv";
  l.variable_marks = "$@%";
  l.regexes = true;
  l.operators = "+-*/%&|^~<>=!?:.\\";
  l.punctuation = "()[]{};,";
  Add(l, "k",
      "case continue do else elsif for foreach if last my next our redo reset then unless until while print new BEGIN "
      "END "
      "return sub package use");
  Add(l, "k", "sub");
  Add(l, "nb",
      "abs bless chomp chop chr close defined delete die each eof eval exists exit grep hex index int join keys lc "
      "lcfirst "
      "length local log map no open ord pack pop pos print printf push quotemeta rand read ref require reverse "
      "scalar shift sort splice split sprintf substr uc ucfirst undef unlink unshift values wantarray warn "
      "package use return");
  Add(l, "ow", "and or not eq ne lt gt le ge cmp xor");
  After(l, "nf", "sub");
  After(l, "nn", "package use");
  return l;
}

Language CSharp() {
  Language l = Java();
  l.name = "csharp";
  l.aliases = {"c#", "cs"};
  l.after_dot = "";
  l.decorators = false;
  l.strings = {{"@\"", "\"", "s", "", true}, {"$\"", "\"", "s", ""}, {"\"", "\"", "s", ""}, {"'", "'", "sc", ""}};
  l.operators = "";
  l.punctuation = "+-*/%&|^~<>=!?:()[]{};,.";
  Add(l, "k",
      "abstract as async await base break by case catch checked const continue default delegate do else enum event "
      "explicit extern false finally fixed for foreach goto if implicit in interface internal is let lock new null on "
      "operator out override params private protected public readonly ref return sealed sizeof stackalloc static "
      "switch "
      "this throw true try typeof unchecked unsafe virtual void while get set yield add remove value where select "
      "from join orderby group var");
  Add(l, "kt", "bool byte char decimal double dynamic float int long object sbyte short string uint ulong ushort var");
  Add(l, "k", "class struct record namespace using");
  After(l, "nc", "class struct record interface enum");
  After(l, "nn", "namespace using");
  return l;
}

}  // namespace

std::vector<Language> CodeLanguages() {
  return {C(),    Cpp(), CSharp(), Go(),   Java(), JavaScript(), Kotlin(), Lua(),
          Perl(), Php(), Python(), Ruby(), Rust(), Sql(),        Swift(),  TypeScript()};
}

}  // namespace ssg::highlight
