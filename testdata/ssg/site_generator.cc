#include "testdata/ssg/site_generator.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "base/os/file.h"
#include "base/status_macros.h"

namespace ssg {
namespace {

constexpr absl::string_view kWords[] = {
    "archive", "basin",   "cedar",  "delta",  "ember",   "fathom", "garden",  "harbor",  "island",  "journal",
    "kettle",  "ladder",  "meadow", "north",  "orchard", "pebble", "quarry",  "river",   "signal",  "timber",
    "umbra",   "valley",  "willow", "yarrow", "zephyr",  "anchor", "bridge",  "canyon",  "drift",   "echo",
    "field",   "glacier", "hollow", "inlet",  "juniper", "kernel", "lantern", "mirror",  "needle",  "oxbow",
    "the",     "of",      "and",    "with",   "from",    "over",   "under",   "between", "through", "beyond"};

// splitmix64: small, and the same everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  size_t Below(size_t n) { return static_cast<size_t>(Next() % n); }

 private:
  uint64_t state_;
};

absl::string_view Word(Random& random) { return kWords[random.Below(sizeof(kWords) / sizeof(kWords[0]))]; }

void AppendSentence(Random& random, const GeneratedSite& site, std::string* out) {
  const size_t words = 8 + random.Below(10);
  for (size_t i = 0; i < words; ++i) {
    if (i > 0) out->push_back(' ');
    switch (random.Below(40)) {
      case 0:
        absl::StrAppend(out, "**", Word(random), "**");
        break;
      case 1:
        absl::StrAppend(out, "*", Word(random), "*");
        break;
      case 2:
        absl::StrAppend(out, "`", Word(random), "()`");
        break;
      case 3: {
        const size_t target = random.Below(site.page_count);
        absl::StrAppend(out, "[", Word(random), "](/section-", absl::Dec(target % site.section_count, absl::kZeroPad2),
                        "/page-", absl::Dec(target, absl::kZeroPad5), "/)");
        break;
      }
      default:
        absl::StrAppend(out, Word(random));
    }
  }
  out->append(". ");
}

void AppendParagraph(Random& random, const GeneratedSite& site, std::string* out) {
  const size_t sentences = 3 + random.Below(4);
  for (size_t i = 0; i < sentences; ++i) AppendSentence(random, site, out);
  out->append("\n\n");
}

void AppendCode(Random& random, std::string* out) {
  if (random.Below(2) == 0) {
    absl::StrAppend(out, "```python\ndef ", Word(random), "(", Word(random), ", limit=10):\n    # ", Word(random),
                    "\n    for i in range(limit):\n        print(\"", Word(random), "\", i)\n    return None\n```\n\n");
  } else {
    absl::StrAppend(out, "```cpp\nint ", Word(random), "(int limit) {\n  // ", Word(random),
                    "\n  int sum = 0;\n  for (int i = 0; i < limit; ++i) sum += i * 2;\n  return sum;\n}\n```\n\n");
  }
}

void AppendTable(Random& random, std::string* out) {
  absl::StrAppend(out, "| name | ", Word(random), " | size |\n|---|:--|--:|\n");
  for (int i = 0; i < 4; ++i)
    absl::StrAppend(out, "| ", Word(random), " | ", Word(random), " | ", random.Below(1000), " |\n");
  out->push_back('\n');
}

void AppendList(Random& random, const GeneratedSite& site, std::string* out) {
  for (int i = 0; i < 4; ++i) {
    out->append("- ");
    AppendSentence(random, site, out);
    out->push_back('\n');
  }
  out->push_back('\n');
}

absl::Status Write(const std::string& directory, absl::string_view path, absl::string_view text) {
  const std::string file = absl::StrCat(directory, "/", path);
  RETURN_IF_ERROR(base::MakeDirectories(file.substr(0, file.rfind('/'))));
  return base::ReplaceFile(file, text, {});
}

}  // namespace

std::string GeneratedPath(const GeneratedSite& site, size_t index) {
  return absl::StrCat("section-", absl::Dec(index % site.section_count, absl::kZeroPad2), "/page-",
                      absl::Dec(index, absl::kZeroPad5), ".md");
}

std::string GeneratedPage(const GeneratedSite& site, size_t index, uint64_t body_seed) {
  Random random(site.seed * 1'000'003 + index * 7919 + body_seed * 104'729);
  Random fixed(site.seed * 1'000'003 + index * 7919);
  std::string out = "---\n";
  absl::StrAppend(&out, "title: \"", Word(fixed), " ", Word(fixed), " ", index, "\"\n");
  absl::StrAppend(&out, absl::StrFormat("date: %04d-%02d-%02dT%02d:00:00Z\n", 2010 + index % 14, 1 + index % 12,
                                        1 + index % 28, index % 24));
  absl::StrAppend(&out, "tags: [tag-", fixed.Below(site.tag_count), ", tag-", fixed.Below(site.tag_count), ", tag-",
                  fixed.Below(site.tag_count), "]\n---\n\n");
  AppendParagraph(random, site, &out);
  const size_t sections = 4 + random.Below(3);
  for (size_t i = 0; i < sections; ++i) {
    absl::StrAppend(&out, "## The ", Word(random), " ", Word(random), "\n\n");
    AppendParagraph(random, site, &out);
    switch (random.Below(5)) {
      case 0:
      case 1:
        AppendCode(random, &out);
        break;
      case 2:
        AppendTable(random, &out);
        break;
      case 3:
        AppendList(random, site, &out);
        break;
      default:
        absl::StrAppend(&out, "### More ", Word(random), "\n\n");
        break;
    }
    AppendParagraph(random, site, &out);
  }
  return out;
}

absl::Status GenerateContent(const GeneratedSite& site, const std::string& directory) {
  RETURN_IF_ERROR(Write(directory, "content/_index.md", "---\ntitle: Home\n---\n\nWelcome.\n"));
  for (size_t i = 0; i < site.section_count; ++i) {
    RETURN_IF_ERROR(Write(directory, absl::StrCat("content/section-", absl::Dec(i, absl::kZeroPad2), "/_index.md"),
                          absl::StrCat("---\ntitle: Section ", i, "\n---\n\nAbout section ", i, ".\n")));
  }
  for (size_t i = 0; i < site.page_count; ++i) {
    const std::string file = absl::StrCat(directory, "/content/", GeneratedPath(site, i));
    RETURN_IF_ERROR(base::ReplaceFile(file, GeneratedPage(site, i, 0), {}));
  }
  return absl::OkStatus();
}

absl::Status GenerateSsgTheme(const std::string& directory) {
  RETURN_IF_ERROR(Write(directory, "ssg.toml",
                        "title = \"Bench\"\nbase_url = \"https://example.org/\"\n\n[outputs]\natom = false\n"
                        "search = \"off\"\nrobots = false\n\n[taxonomies]\ntags = {}\n\n[images]\nenabled = false\n"));
  RETURN_IF_ERROR(Write(directory, "templates/base.html", R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ page.title }} | {{ site.title }}</title>
<link rel="canonical" href="{{ page.permalink }}"></head><body>
<nav>{% for s in site.sections %}<a href="{{ s.url }}">{{ s.title }}</a> {% endfor %}</nav>
<main>{% block main %}{% endblock %}</main>
<footer>{{ site.title }}</footer></body></html>
)"));
  RETURN_IF_ERROR(Write(directory, "templates/page.html", R"({% extends "base.html" %}
{% block main %}<article><h1>{{ page.title }}</h1><p><time>{{ page.date|date("%Y-%m-%d") }}</time> {{ page.word_count }} words</p>
<aside>{{ page.toc }}</aside>{{ page.content }}
<p>{% for t in page.tags %}<a href="{{ t.url }}">{{ t.title }}</a> {% endfor %}</p>
{% if page.prev %}<a href="{{ page.prev.url }}">{{ page.prev.title }}</a>{% endif %}
{% if page.next %}<a href="{{ page.next.url }}">{{ page.next.title }}</a>{% endif %}</article>{% endblock %}
)"));
  RETURN_IF_ERROR(Write(directory, "templates/section.html", R"({% extends "base.html" %}
{% block main %}<h1>{{ page.title }}</h1>{{ page.content }}
<ul>{% for p in page.pages %}<li><a href="{{ p.url }}">{{ p.title }}</a> <time>{{ p.date|date("%Y-%m-%d") }}</time></li>
{% endfor %}</ul>{% endblock %}
)"));
  RETURN_IF_ERROR(Write(directory, "templates/index.html", R"({% extends "base.html" %}
{% block main %}<h1>{{ page.title }}</h1>{{ page.content }}
<ul>{% for s in site.sections %}<li><a href="{{ s.url }}">{{ s.title }}</a></li>
{% endfor %}</ul>{% endblock %}
)"));
  RETURN_IF_ERROR(Write(directory, "templates/taxonomy_single.html", "{% extends \"section.html\" %}\n"));
  RETURN_IF_ERROR(Write(directory, "templates/taxonomy_list.html", R"({% extends "base.html" %}
{% block main %}<h1>{{ page.title }}</h1>
<ul>{% for t in page.terms %}<li><a href="{{ t.url }}">{{ t.title }}</a> {{ t.pages|length }}</li>
{% endfor %}</ul>{% endblock %}
)"));
  return Write(directory, "templates/404.html",
               "{% extends \"base.html\" %}\n{% block main %}<h1>Not found</h1>{% endblock %}\n");
}

absl::Status GenerateHugoTheme(const std::string& directory) {
  RETURN_IF_ERROR(Write(
      directory, "config.toml",
      "title = \"Bench\"\nbaseURL = \"https://example.org/\"\n[taxonomies]\ntag = \"tags\"\n"
      "[outputs]\nhome = [\"HTML\", \"RSS\", \"JSON\"]\nsection = [\"HTML\", \"RSS\"]\nterm = [\"HTML\", \"RSS\"]\n"
      "taxonomy = [\"HTML\"]\n[services.rss]\nlimit = 20\n[markup.highlight]\nnoClasses = false\n"
      "[markup.goldmark.renderer]\nunsafe = true\n"));
  RETURN_IF_ERROR(
      Write(directory, "layouts/partials/nav.html",
            "<nav>{{ range .Site.Sections }}<a href=\"{{ .RelPermalink }}\">{{ .Title }}</a> {{ end }}</nav>\n"));
  RETURN_IF_ERROR(Write(directory, "layouts/_default/baseof.html", R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ .Title }} | {{ .Site.Title }}</title>
<link rel="canonical" href="{{ .Permalink }}"></head><body>
{{ partialCached "nav.html" . }}
<main>{{ block "main" . }}{{ end }}</main>
<footer>{{ .Site.Title }}</footer></body></html>
)"));
  RETURN_IF_ERROR(Write(
      directory, "layouts/_default/single.html",
      R"({{ define "main" }}<article><h1>{{ .Title }}</h1><p><time>{{ .Date.Format "2006-01-02" }}</time> {{ .WordCount }} words</p>
<aside>{{ .TableOfContents }}</aside>{{ .Content }}
<p>{{ range .GetTerms "tags" }}<a href="{{ .RelPermalink }}">{{ .Title }}</a> {{ end }}</p>
{{ with .PrevInSection }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}
{{ with .NextInSection }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}</article>{{ end }}
)"));
  RETURN_IF_ERROR(
      Write(directory, "layouts/_default/list.html", R"({{ define "main" }}<h1>{{ .Title }}</h1>{{ .Content }}
<ul>{{ range .Pages }}<li><a href="{{ .RelPermalink }}">{{ .Title }}</a> <time>{{ .Date.Format "2006-01-02" }}</time></li>
{{ end }}</ul>{{ end }}
)"));
  RETURN_IF_ERROR(Write(directory, "layouts/_default/taxonomy.html", R"({{ define "main" }}<h1>{{ .Title }}</h1>
<ul>{{ range .Pages }}<li><a href="{{ .RelPermalink }}">{{ .Title }}</a> {{ len .Pages }}</li>
{{ end }}</ul>{{ end }}
)"));
  RETURN_IF_ERROR(
      Write(directory, "layouts/_default/term.html", R"({{ define "main" }}<h1>{{ .Title }}</h1>{{ .Content }}
<ul>{{ range .Pages }}<li><a href="{{ .RelPermalink }}">{{ .Title }}</a> <time>{{ .Date.Format "2006-01-02" }}</time></li>
{{ end }}</ul>{{ end }}
)"));
  RETURN_IF_ERROR(Write(directory, "layouts/index.html", R"({{ define "main" }}<h1>{{ .Title }}</h1>{{ .Content }}
<ul>{{ range .Site.Sections }}<li><a href="{{ .RelPermalink }}">{{ .Title }}</a></li>
{{ end }}</ul>{{ end }}
)"));
  RETURN_IF_ERROR(
      Write(directory, "layouts/index.json", R"([{{ range $i, $p := .Site.RegularPages }}{{ if $i }},{{ end }}
{"title":{{ .Title | jsonify }},"url":{{ .Permalink | jsonify }},"section":{{ .Section | jsonify }},"date":{{ .Date.Format "2006-01-02T15:04:05Z" | jsonify }},"summary":{{ .Summary | plainify | jsonify }},"tags":{{ .Params.tags | jsonify }}}{{ end }}
]
)"));
  return Write(directory, "layouts/404.html", "{{ define \"main\" }}<h1>Not found</h1>{{ end }}\n");
}

}  // namespace ssg
