#include "ssg/template/engine.h"

#include <string>
#include <thread>
#include <vector>

#include "base/testing/status_matchers.h"
#include "ssg/template/diagnostic.h"
#include "ssg/template/value.h"

namespace ssg::tmpl {
namespace {

using ::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Sources = absl::flat_hash_map<std::string, std::string>;

// A page of a host: attributes are computed when they are asked for.
class FakePage : public Object {
 public:
  explicit FakePage(std::string title) : title_(std::move(title)) {}
  absl::string_view TypeName() const override { return "page"; }
  absl::StatusOr<Value> Attribute(Symbol name, Runtime& runtime) const override {
    if (name.text() == "title") return Value::String(title_);
    if (name.text() == "content") return runtime.NewHtml("<p>body</p>");
    if (name.text() == "broken") return absl::DataLossError("the page cannot be read");
    return Value();
  }
  std::vector<absl::string_view> AttributeNames() const override { return {"title", "content", "broken"}; }

 private:
  const std::string title_;
};

class RecordingObserver : public Observer {
 public:
  void OnTemplate(absl::string_view name, bool found) override {
    seen.push_back("template " + std::string(name) + (found ? "" : " missing"));
  }
  void OnVariable(Symbol name) override { seen.push_back("variable " + std::string(name.text())); }
  void OnAttribute(const Object& object, Symbol name) override {
    seen.push_back(std::string(object.TypeName()) + "." + std::string(name.text()));
  }
  std::vector<std::string> seen;
};

absl::StatusOr<std::string> RenderIn(const Engine& engine, absl::string_view name, const Variables& variables,
                                     RenderOptions options = {}) {
  ASSIGN_OR_RETURN(const auto source, engine.Get(name));
  std::string out;
  RETURN_IF_ERROR(engine.Render(*source, variables, options, out));
  return out;
}

absl::StatusOr<std::string> Render(Sources sources, Environment::Options options = {}) {
  const Engine engine(std::move(options), std::make_unique<MapLoader>(std::move(sources)));
  return RenderIn(engine, "page.html", Variables());
}

TEST(EngineTest, InheritsAndEscapes) {
  EXPECT_THAT(Render({{"base.html", "<{% block a %}base{% endblock %}>"},
                      {"page.html",
                       "{% extends 'base.html' %}{% block a %}{{ super() }}{{ '<&>' }}"
                       "{% endblock %}"}}),
              base::IsOkAndHolds("<base&lt;&amp;&gt;>"));
}

TEST(EngineTest, HostObjectsAndFunctions) {
  Engine engine({}, std::make_unique<MapLoader>(
                        Sources{{"page.html", "{{ page.title }}|{{ page.content }}|{{ url(path='a b') }}"},
                                {"text.txt", "{{ page.content }}"}}));
  engine.environment().AddFunction("url", "path",
                                   [](Runtime& runtime, const BoundArguments& call) -> absl::StatusOr<Value> {
                                     return runtime.NewString("/" + std::string(call[0].text()));
                                   });
  const FakePage page("T<1>");
  Variables variables;
  variables.Set("page", Value::Of(&page));
  EXPECT_THAT(RenderIn(engine, "page.html", variables), base::IsOkAndHolds("T&lt;1&gt;|<p>body</p>|/a b"));
}

TEST(EngineTest, ObserverSeesWhatWasRead) {
  const Engine engine(
      {}, std::make_unique<MapLoader>(Sources{{"page.html",
                                               "{% include 'part.html' %}"
                                               "{% include 'none.html' ignore missing %}{{ page.nothing }}"},
                                              {"part.html", "{{ page.title }}{{ site }}"}}));
  const FakePage page("x");
  Variables variables;
  variables.Set("page", Value::Of(&page));
  RecordingObserver observer;
  RenderOptions options;
  options.observer = &observer;
  EXPECT_THAT(RenderIn(engine, "page.html", variables, options), base::IsOkAndHolds("x"));
  EXPECT_THAT(observer.seen, ElementsAre("template page.html", "variable page", "template part.html", "variable page",
                                         "variable site", "page.title", "template none.html missing", "page.nothing"));
}

TEST(EngineTest, ErrorsSayWhereAndWhatWasMeant) {
  const absl::Status status = Render({{"page.html", "first\n{% include 'part.html' %}"},
                                      {"part.html", "{% set title = 1 %}\n  <b>{{ titel.x }}</b>"}})
                                  .status();
  const absl::optional<Diagnostic> diagnostic = DiagnosticOf(status);
  ASSERT_TRUE(diagnostic.has_value());
  EXPECT_EQ(diagnostic->name, "part.html");
  EXPECT_EQ(diagnostic->line, 2);
  EXPECT_EQ(diagnostic->column, 9);
  EXPECT_EQ(diagnostic->message, "'titel' is undefined");
  EXPECT_EQ(diagnostic->hint, "did you mean 'title'?");
  ASSERT_EQ(diagnostic->steps.size(), 1u);
  EXPECT_EQ(diagnostic->steps[0].what, "included from");
  EXPECT_EQ(diagnostic->steps[0].line, 2);
  EXPECT_EQ(status.message(),
            "part.html:2:9: 'titel' is undefined; did you mean 'title'?\n"
            "    2 |   <b>{{ titel.x }}</b>\n"
            "      |         ^\n"
            "  included from page.html:2");
}

TEST(EngineTest, HostErrorsKeepTheirCode) {
  const Engine engine({}, std::make_unique<MapLoader>(Sources{{"page.html", "{{ page.broken }}"}}));
  const FakePage page("x");
  Variables variables;
  variables.Set("page", Value::Of(&page));
  EXPECT_THAT(RenderIn(engine, "page.html", variables),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("page.html:1:4: the page cannot")));
}

TEST(EngineTest, SyntaxErrorsSayWhere) {
  EXPECT_THAT(Render({{"page.html", "a\n{% fro x in y %}"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page.html:2:4: ")));
  EXPECT_THAT(Render({{"page.html", "{% if x %}"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'endif'")));
  EXPECT_THAT(Render({{"page.html", "{{ x|uper }}"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("did you mean 'upper'?")));
}

TEST(EngineTest, MissingTemplatesAreNamed) {
  EXPECT_THAT(Render({{"page.html", "{% extends 'bsae.html' %}"}, {"base.html", ""}}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("did you mean 'base.html'?")));
}

TEST(EngineTest, EndlessTemplatesEnd) {
  EXPECT_THAT(Render({{"page.html", "{% include 'page.html' %}"}}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("included from page.html")));
  EXPECT_THAT(Render({{"page.html", "{% extends 'page.html' %}"}}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("extended by page.html")));
  EXPECT_THAT(Render({{"page.html", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"}}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("200 deep")));
  Environment::Options options;
  options.limits.steps_max = 1000;
  EXPECT_THAT(Render({{"page.html", "{% for i in range(100000) %}{% endfor %}"}}, options),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("1000 steps")));
  options.limits.output_bytes_max = 100;
  EXPECT_THAT(Render({{"page.html", "{% for i in range(500) %}xxxx{% endfor %}"}}, options),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("100 bytes")));
  EXPECT_THAT(Render({{"page.html", "{{ 'x' * 1000 }}"}}, options),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("100 bytes")));
  options = {};
  options.limits.memory_bytes_max = 1 << 20;
  EXPECT_THAT(Render({{"page.html",
                       "{% set ns = namespace(s='x') %}{% for i in range(40) %}"
                       "{% set ns.s = ns.s ~ ns.s %}{% endfor %}"}},
                     options),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("memory")));
}

TEST(EngineTest, DeepNestingIsRefusedNotFatal) {
  for (const auto& [open, close] :
       {std::pair<std::string, std::string>{"(", ")"}, {"[", "]"}, {"-", ""}, {"not ", ""}, {"x if ", ""}}) {
    std::string nested;
    for (int i = 0; i < 50000; ++i) nested += open;
    nested += "x";
    for (int i = 0; i < 50000; ++i) nested += close;
    EXPECT_THAT(Render({{"page.html", "{{ " + nested + " }}"}}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page.html:1:")));
  }
  std::string chain = "{{ x";
  for (int i = 0; i < 100000; ++i) chain += ".x";
  EXPECT_THAT(Render({{"page.html", chain + " }}"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too long")));
  std::string tags;
  for (int i = 0; i < 10000; ++i) tags += "{% if x %}";
  EXPECT_THAT(Render({{"page.html", tags}}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too deeply")));
}

TEST(EngineTest, SelfContainingListsAreRefusedNotFatal) {
  EXPECT_THAT(Render({{"page.html", "{% set x = [] %}{% do x.append(x) %}{{ x }}"}}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("200 deep")));
}

TEST(EngineTest, FrozenValuesCannotBeChanged) {
  const Engine engine({}, std::make_unique<MapLoader>(Sources{{"page.html", "{% do tags.append(1) %}"}}));
  Arena arena;
  const Value tags = Value::Of(NewList(arena));
  Freeze(tags);
  Variables variables;
  variables.Set("tags", tags);
  EXPECT_THAT(RenderIn(engine, "page.html", variables),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("belongs to the site")));
}

TEST(EngineTest, UndefinedPolicies) {
  const auto render = [](UndefinedPolicy policy, std::string source) {
    Environment::Options options;
    options.undefined = policy;
    return Render({{"page.html", std::move(source)}}, options);
  };
  EXPECT_THAT(render(UndefinedPolicy::kLenient, "[{{ a }}]"), base::IsOkAndHolds("[]"));
  EXPECT_THAT(render(UndefinedPolicy::kChainable, "[{{ a.b.c }}]"), base::IsOkAndHolds("[]"));
  EXPECT_THAT(render(UndefinedPolicy::kDebug, "[{{ a }}]"), base::IsOkAndHolds("[{{ a }}]"));
  EXPECT_THAT(render(UndefinedPolicy::kStrict, "[{{ a }}]"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("'a' is undefined")));
  EXPECT_THAT(render(UndefinedPolicy::kStrict, "{{ a is defined }}"), base::IsOkAndHolds("False"));
}

TEST(EngineTest, ForgottenTemplatesAreCompiledAnew) {
  class ChangingLoader : public Loader {
   public:
    absl::StatusOr<std::string> Load(absl::string_view) override { return std::to_string(++loads_); }

   private:
    int loads_ = 0;
  };
  Engine engine({}, std::make_unique<ChangingLoader>());
  EXPECT_THAT(RenderIn(engine, "a", Variables()), base::IsOkAndHolds("1"));
  EXPECT_THAT(RenderIn(engine, "a", Variables()), base::IsOkAndHolds("1"));
  engine.Forget("a");
  EXPECT_THAT(RenderIn(engine, "a", Variables()), base::IsOkAndHolds("2"));
}

TEST(EngineTest, ThreadsShareTemplates) {
  const Engine engine({}, std::make_unique<MapLoader>(Sources{{"page.html",
                                                               "{% import 'm' as m %}{% for i in range(50) %}"
                                                               "{{ m.twice(i) }},{% endfor %}"},
                                                              {"m", "{% macro twice(x) %}{{ x * 2 }}{% endmacro %}"}}));
  const absl::StatusOr<std::string> expected = RenderIn(engine, "page.html", Variables());
  ASSERT_OK(expected);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const absl::StatusOr<std::string> out = RenderIn(engine, "page.html", Variables());
        wrong[t] += !out.ok() || *out != *expected;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

TEST(EngineTest, ReferencesAreListed) {
  const Engine engine({}, nullptr);
  ASSERT_OK_AND_ASSIGN(const auto source, engine.Compile("a",
                                                         "{% extends 'b' %}{% include ['c', 'd'] %}"
                                                         "{% import 'e' as e %}{% include x %}"));
  EXPECT_THAT(source->References(), ElementsAre("b", "c", "d", "e"));
}

}  // namespace
}  // namespace ssg::tmpl
